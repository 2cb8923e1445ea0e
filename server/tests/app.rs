//! The files of an application that a hub serves.

mod common;

use std::fs;
use std::path::Path;

use axum::http::Method;
use common::{Answer, Builder, Tested, hub, hub_with};
use tempfile::TempDir;

const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

struct Served {
    tested: Tested,
    folder: TempDir,
}

fn write(folder: &Path, name: &str, contents: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(path, contents).expect("it can be written");
}

/// A hub with an application in a folder that has more beside it.
fn served() -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join("app");
    write(&app, "index.html", "<!doctype html><title>lists</title>");
    write(&app, "assets/main-1a2b.js", "export const lists = [];\n".repeat(200));
    write(&app, "assets/core_bg-3c4d.wasm", b"\0asm\x01\0\0\0");
    write(&app, "about/index.html", "about");
    write(&app, "a name.txt", "with a space");
    write(&app, ".env", "SECRET=1");
    write(&app, ".git/config", "secret");
    write(&app, ".well-known/security.txt", "mail us");
    write(folder.path(), "secret.txt", "secret");
    write(folder.path(), "app-secret/secret.txt", "secret");
    let tested = hub_with(|config| config.app = Some(app));
    Served { tested, folder }
}

impl Served {
    async fn ask(&self, request: Builder) -> Answer {
        self.tested.ask(request.without("authorization")).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Builder::get(path)).await
    }
}

#[tokio::test]
async fn files_come_as_what_they_are() {
    let served = served();
    for (path, media) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/assets/main-1a2b.js", "text/javascript; charset=utf-8"),
        ("/assets/core_bg-3c4d.wasm", "application/wasm"),
        ("/about/", "text/html; charset=utf-8"),
        ("/a%20name.txt", "text/plain; charset=utf-8"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8"),
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status(), answer.header("content-type")), (200, Some(media)), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let head = served.ask(Builder::new(Method::HEAD, path)).await;
        assert_eq!((head.status(), head.body.len()), (200, 0), "{path}");
        assert_eq!(head.header("content-length"), answer.header("content-length"), "{path}");
    }
    assert_eq!(served.get("/assets/core_bg-3c4d.wasm").await.body, b"\0asm\x01\0\0\0");
    assert_eq!(served.get("/about").await.header("location"), Some("/about/"));
}

#[tokio::test]
async fn the_hub_stays_where_it_was_and_its_page_moves() {
    let served = served();
    let title = |answer: &Answer| String::from_utf8_lossy(&answer.body).contains("lists");
    assert!(title(&served.get("/").await));
    let page = served.get("/hub").await;
    assert!(page.status() == 200 && !title(&page));
    assert_eq!(served.get("/v1").await.status(), 200);
    assert_eq!(served.get("/healthz").await.status(), 200);
    assert_eq!(served.get("/v1/groups/g/peers").await.refused().0, 401);
    for path in ["/v1/nothing", "/hub/nothing", "/v1/"] {
        let answer = served.ask(Builder::get(path).header("accept", PAGE)).await;
        assert_eq!(answer.refused(), (404, "NotFound".to_owned()), "{path}");
    }
    let without = hub();
    let first = without.ask(Builder::get("/")).await;
    assert_eq!(first.body, without.ask(Builder::get("/hub")).await.body);
    assert_eq!(without.ask(Builder::get("/index.html")).await.refused().0, 404);
}

#[tokio::test]
async fn who_wants_a_page_where_there_is_none_gets_the_first_one() {
    let served = served();
    for path in ["/lists/17", "/lists/17.5", "/v10", "/hubs"] {
        let answer = served.ask(Builder::get(path).header("accept", PAGE)).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.body, b"<!doctype html><title>lists</title>");
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let part = served.ask(Builder::get(path).header("accept", "*/*")).await;
        assert_eq!(
            part.refused(),
            (404, "NotFound".to_owned()),
            "a script that is gone is no page"
        );
    }
    let posted = served.ask(Builder::post("/lists/17").header("accept", PAGE)).await;
    assert_eq!(posted.refused().0, 404);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let served = served();
    let first = served.get("/index.html").await;
    let tag = first.header("etag").expect("an etag").to_owned();
    let again = || Builder::get("/index.html").header("if-none-match", &tag);
    let same = served.ask(again()).await;
    assert_eq!((same.status(), same.body.len()), (304, 0));
    assert_eq!(same.header("cache-control"), Some("no-cache"));
    assert_eq!(same.header("etag"), Some(&*tag));
    let other = served.ask(Builder::get("/index.html").header("if-none-match", "\"x\"")).await;
    assert_eq!(other.status(), 200);
    write(&served.folder.path().join("app"), "index.html", "another one");
    assert_eq!(served.ask(again()).await.body, b"another one");
}

#[tokio::test]
async fn only_what_is_named_by_its_contents_is_kept_for_long() {
    let served = served();
    let kept = |answer: &Answer| answer.header("cache-control").map(str::to_owned);
    let long = Some("public, max-age=31536000, immutable".to_owned());
    assert_eq!(kept(&served.get("/assets/main-1a2b.js").await), long);
    assert_eq!(kept(&served.get("/a%20name.txt").await).as_deref(), Some("no-cache"));
    let gone = served.get("/assets/gone.js").await;
    assert_eq!(gone.status(), 404);
    assert_ne!(kept(&gone), long, "a file that comes later would be missed for a year");
}

#[tokio::test]
async fn text_comes_compressed_and_what_was_compressed_beforehand_as_it_is() {
    let served = served();
    let app = served.folder.path().join("app");
    write(&app, "before.js", "plain");
    write(&app, "before.js.gz", "pretends to be compressed");
    write(&app, "picture.png", [7; 5_000]);
    let ask = |path: &str| served.ask(Builder::get(path).header("accept-encoding", "gzip"));
    let script = ask("/assets/main-1a2b.js").await;
    assert_eq!(script.header("content-encoding"), Some("gzip"));
    assert!(script.body.len() < 1_000);
    let before = ask("/before.js").await;
    assert_eq!(before.header("content-encoding"), Some("gzip"));
    assert_eq!(before.body, b"pretends to be compressed");
    assert_eq!(before.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(before.header("vary").is_some_and(|vary| vary.contains("accept-encoding")));
    assert_eq!(ask("/picture.png").await.header("content-encoding"), None);
    assert_eq!(served.get("/before.js").await.body, b"plain");
}

#[tokio::test]
async fn nothing_leads_out_of_the_folder() {
    let served = served();
    let app = served.folder.path().join("app");
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(served.folder.path().join("secret.txt"), app.join("link.txt")).expect("a link");
        symlink(served.folder.path(), app.join("up")).expect("a link");
        symlink(served.folder.path().join("app-secret"), app.join("next")).expect("a link");
        symlink(app.join(".env"), app.join("env.txt")).expect("a link");
        symlink(app.join("about/index.html"), app.join("inside.html")).expect("a link");
        assert_eq!(served.get("/inside.html").await.body, b"about", "a link inside is followed");
    }
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2e%2fsecret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/%252e%252e/secret.txt",
        "/../app-secret/secret.txt",
        "/link.txt",
        "/up/secret.txt",
        "/next/secret.txt",
        "/env.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.git/",
        "/index.html%00.txt",
        "/index.html/",
        "/index.html/secret.txt",
        "//secret.txt",
        "//about",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/C:/secret.txt",
    ] {
        for accept in ["*/*", PAGE] {
            let answer = served.ask(Builder::get(path).header("accept", accept)).await;
            let text = String::from_utf8_lossy(&answer.body).to_lowercase();
            assert!(!text.contains("secret") && !text.contains("root:"), "{path}: {text}");
            let is_start = answer.status() == 200 && text.contains("lists") && accept == PAGE;
            assert!(is_start || answer.refused().0 == 404, "{path}: {}", answer.status());
        }
    }
}

#[tokio::test]
#[cfg(unix)]
async fn what_is_no_file_is_not_waited_for() {
    let served = served();
    let pipe = served.folder.path().join("app/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    assert_eq!(served.get("/pipe").await.refused().0, 404);
}

#[tokio::test]
async fn parts_of_a_file_can_be_asked_for() {
    let served = served();
    let part = served.ask(Builder::get("/about/index.html").header("range", "bytes=1-2")).await;
    assert_eq!((part.status(), &*part.body), (206, &b"bo"[..]));
    let beyond = served.ask(Builder::get("/about/index.html").header("range", "bytes=9-")).await;
    assert_eq!(beyond.status(), 416);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_not_found_and_the_hub_goes_on() {
    let served = served();
    fs::remove_dir_all(served.folder.path().join("app")).expect("it can be removed");
    let answer = served.ask(Builder::get("/").header("accept", PAGE)).await;
    assert_eq!(answer.refused().0, 404);
    assert_eq!(served.get("/v1").await.status(), 200);
}
