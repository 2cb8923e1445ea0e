//! Of several tabs with one database, one syncs by itself: it hears what the others write, and ends when it loses
//! the lead.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use syncline::Object;
use syncline::change::{Touched, TouchedStream};
use syncline::sync::{Cause, ContinuousEvent};
use syncline_it::{Replica, Store, schema};

use crate::desk::Hub;
use crate::runner::Runner;

async fn tabs() -> (Replica, Replica) {
    let one = Replica::new(Store::Memory, 1).await;
    let two = Replica::open(one.backend.clone(), 2, schema(), |config| config).await;
    (one, two.expect("it opens"))
}

async fn write(tab: &Replica, text: &str) {
    let _ = tab.create("note", Object::new().with("text", text)).await;
}

fn told(stream: &mut TouchedStream) -> Touched {
    let mut next = pin!(stream.next());
    match next.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(touched) => touched,
        Poll::Pending => panic!("nothing was touched"),
    }
}

/// A tab that has the lead and has done its first sync.
async fn leading(tab: Replica, hub: &Hub) -> Runner {
    let lead = tab.log.take_lead().await.expect("it can be taken");
    let mut leader = Runner::on(tab, hub.desk(), |mut options| {
        options.sync.lead = Some(lead);
        options
    });
    leader.settle();
    assert_eq!(leader.causes(), [Cause::Start]);
    leader
}

#[pollster::test]
async fn what_another_tab_writes_is_sent_soon_after_it_is_told() {
    let hub = Hub::new();
    let (one, two) = tabs().await;
    let mut leader = leading(one, &hub).await;
    let mut touched = two.manager.touched();
    write(&two, "a").await;
    leader.settle();
    leader.pass(Duration::from_secs(1));
    assert_eq!(leader.causes(), [], "nobody told");

    leader.replica.manager.touched_elsewhere(&told(&mut touched)).await;
    leader.settle();
    leader.pass_to_next();
    assert_eq!(leader.causes(), [Cause::Written]);
    let ann = Runner::new(3, hub.desk()).await;
    assert_eq!(ann.notes().await, 1);
}

#[pollster::test]
async fn what_another_tab_synced_is_not_sent_again() {
    let hub = Hub::new();
    let (one, two) = tabs().await;
    let ann = Runner::new(3, hub.desk()).await;
    ann.write("a").await;
    let _ = ann.replica.sync(ann.desk.as_ref()).await;

    let mut leader = leading(one, &hub).await;
    let mut touched = two.manager.touched();
    ann.write("b").await;
    let _ = ann.replica.sync(ann.desk.as_ref()).await;
    let _ = two.sync(ann.desk.as_ref()).await;
    let _ = leader.causes();
    leader.replica.manager.touched_elsewhere(&told(&mut touched)).await;
    leader.settle();
    leader.pass(Duration::from_secs(3));
    assert!(!leader.causes().contains(&Cause::Written));
}

#[pollster::test]
async fn whoever_loses_the_lead_says_so_and_ends() {
    let hub = Hub::new();
    let (one, two) = tabs().await;
    let mut former = leading(one, &hub).await;
    let mut leader = leading(two, &hub).await;
    assert!(former.is_running(), "it cannot know yet");

    former.write("a").await;
    former.settle();
    former.pass_to_next();
    assert!(!former.is_running());
    assert_eq!(
        former.events(),
        [ContinuousEvent::Started(Cause::Written), ContinuousEvent::LeadLost],
        "it neither waits nor tries again"
    );
    leader.handle.sync_now();
    leader.settle();
    assert!(leader.is_running());
    let ann = Runner::new(3, hub.desk()).await;
    assert_eq!(ann.notes().await, 1, "what it wrote is sent by who leads now");
}
