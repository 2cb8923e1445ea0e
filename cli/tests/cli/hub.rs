//! Hubs, as people run and use them.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::harness::{Answer, Place};

/// A command that goes on, and prints JSON; it ends when this is dropped.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("it goes on").expect("it prints text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The next line that tells of this.
    fn until(&mut self, event: &str) -> Value {
        loop {
            let line = self.next();
            if line["event"] == event {
                return line;
            }
        }
    }

    /// Tells it to stop, as a service is stopped, and waits for its end.
    #[cfg(unix)]
    fn stop(mut self) -> i32 {
        let told = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(told.is_ok_and(|status| status.success()));
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A hub that runs in a place, and its address.
fn hub(place: &Place, more: &str) -> (Running, String) {
    let line = format!("--json serve --listen 127.0.0.1:0 {more}");
    let mut hub = Running::start(place.command(line.trim()));
    let url = hub.next()["listening"][0].as_str().expect("an address").to_owned();
    (hub, url)
}

/// Runs a command with a token.
fn with_token(place: &Place, token: &str, line: &str) -> Answer {
    Answer::of(place.command(line).env("SYNCLINE_TOKEN", token))
}

#[test]
fn two_databases_sync_live_through_a_hub() {
    let place = Place::with_database();
    place.ok("init b.db --schema schema.json");
    let (hub, url) = hub(&place, "");
    let mut watch = Running::start(place.command(&format!("--json watch b.db --log {url}")));
    let vila = r#"'{"name": "Vila", "lat": 42.5, "lng": 1.5, "country": "AD"}'"#;
    place.ok(&format!("create a.db city {vila}"));
    let report = place.json(&format!("sync a.db --log {url}"));
    assert_eq!((&report["shared"], &report["finished"]), (&1.into(), &true.into()));
    let created = watch.until("created");
    assert_eq!(
        (&created["collection"], &created["object"]["name"]),
        (&"city".into(), &"Vila".into())
    );
    // What another command writes is noticed, and sent.
    place.ok(r#"update b.db city '{}' '{"name": "Vila Vella"}'"#);
    let _ = watch.until("shared");
    place.ok(&format!("sync a.db --log {url}"));
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("b.db"));
    assert_eq!(watch.stop(), 0);
    let status = place.json(&format!("hub status {url}"));
    assert_eq!(status["groups"][0]["group"], "default");
    assert_eq!(status["groups"][0]["entries"], 2);
    assert_eq!(hub.stop(), 0, "it ends well when it is told to");
}

#[test]
fn a_hub_that_others_reach_wants_tokens() {
    let place = Place::with_database();
    let error = place.fails("serve --listen 0.0.0.0:0");
    assert_eq!(error["kind"], "Invalid", "{error}");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("--tokens")), "{error}");
}

#[test]
fn tokens_let_in_whom_they_are_for() {
    let place = Place::with_database();
    let token = |line: &str| place.json(line)["token"].as_str().expect("a token").to_owned();
    let ann = token("token new ann --for default");
    let reader = token("token new reader --for default --scope read");
    let stranger = token("token new stranger --for other");
    let operator = token("token new operator --for none --scope admin");
    assert!(!place.read("tokens.txt").contains(&ann), "the file keeps no token");
    let (_hub, url) = hub(&place, "--tokens tokens.txt");
    let sync = format!("--json sync a.db --log {url}");
    place.ok(r#"create a.db user '{"name": "Ann"}'"#);
    for refused in ["", &reader, &stranger, "syncline_0000"] {
        let answer = match refused {
            "" => place.run(&sync),
            token => with_token(&place, token, &sync),
        };
        let json: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!(json["error"]["kind"], "Denied", "{json}");
        assert_eq!(place.json("status a.db")["pending"], 1, "nothing is lost");
    }
    let answer = with_token(&place, &ann, &sync);
    assert_eq!(answer.code, 0, "{}", answer.stdout);
    assert_eq!(place.json("status a.db")["pending"], 0);
    // Who only reads is no member: nobody keeps anything for it.
    place.ok("init c.db --schema schema.json");
    let read = format!("--json sync c.db --log {url}");
    for received in [1, 0] {
        let answer = with_token(&place, &reader, &read);
        assert_eq!(answer.code, 0, "{}", answer.stdout);
        let json: Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!(json["received"], received, "{json}");
    }
    assert_eq!(place.fingerprint("a.db"), place.fingerprint("c.db"));
    // A token that is added while the hub runs is good at once.
    place.write("late.txt", &token("token new late --for default"));
    place.ok(&format!("sync a.db --log {url} --token-file late.txt"));
    let status = format!("--json hub status {url}");
    assert_eq!(with_token(&place, &operator, &status).code, 0);
    assert_eq!(with_token(&place, &ann, &status).code, 1);
}

#[test]
fn signed_tokens_let_in_until_they_end() {
    let place = Place::with_database();
    place.ok("token secret hub.secret");
    place.ok("token keys private.pem public.pem");
    let error = place.fails("token secret hub.secret");
    assert_eq!(error["kind"], "Conflict", "a key is never written over");
    let (_hub, url) = hub(&place, "--jwt-secret hub.secret --jwt-key public.pem");
    for how in ["--secret hub.secret --days 1", "--key private.pem --hours 1"] {
        let line = format!("token sign ann --for default {how}");
        let token = place.json(&line)["token"].as_str().expect("a token").to_owned();
        let answer = with_token(&place, &token, &format!("sync a.db --log {url}"));
        assert_eq!(answer.code, 0, "{how}: {}", answer.stderr);
        let (said, signature) = token.rsplit_once('.').expect("it is signed");
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let forged = format!("{said}.{other}{}", &signature[1..]);
        assert_eq!(with_token(&place, &forged, &format!("sync a.db --log {url}")).code, 1);
    }
    assert_eq!(place.fails("token sign ann --for default --secret hub.secret")["kind"], "Invalid");
}

/// Asks a hub as a page of this origin would; the status and the rest of the answer.
fn ask_as_page(url: &str, path: &str, origin: &str) -> (String, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("it takes that");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    let status = answer.get(9..12).expect("a status").to_owned();
    (status, answer)
}

#[test]
fn a_hub_serves_an_application_and_answers_pages_of_the_origins_that_were_named() {
    let place = Place::with_database();
    let error = place.fails("serve --app .");
    assert_eq!(error["kind"], "NotFound", "{error}");
    place.write("index.html", "<title>lists</title>");
    let (_hub, url) = hub(&place, "--app . --allow-origin https://app.example");
    let (status, start) = ask_as_page(&url, "/", &url);
    assert!(status == "200" && start.ends_with("<title>lists</title>"), "{start}");
    assert_eq!(ask_as_page(&url, "/hub", &url).0, "200");
    assert_eq!(ask_as_page(&url, "/v1", "https://app.example").0, "200");
    assert_eq!(ask_as_page(&url, "/v1", "https://evil.example").0, "403");
}

#[test]
fn without_tokens_not_every_page_is_answered() {
    let place = Place::with_database();
    let error = place.fails("serve --allow-origin *");
    assert_eq!(error["kind"], "Invalid", "{error}");
    assert_eq!(place.fails("serve --allow-origin app.example")["kind"], "Invalid");
    let (_hub, url) = hub(&place, "");
    assert_eq!(ask_as_page(&url, "/v1", "http://localhost:5173").0, "200");
    assert_eq!(ask_as_page(&url, "/v1", "https://app.example").0, "403");
}
