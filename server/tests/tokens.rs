//! Who is let in by a file of tokens.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use syncline_core::id::hex;
use syncline_core::{ErrorKind, Group, Result};
use syncline_server::auth::{
    Access, AnyOf, Authenticate, Groups, Jwt, JwtRules, Keys, Scope, StaticToken, TokenFile,
};

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).expect("writes");
    }

    fn open(&self, text: &str) -> Result<TokenFile> {
        self.write(text);
        TokenFile::open(self.path())
    }
}

fn ask(gate: &dyn Authenticate, token: &str) -> Result<Access> {
    pollster::block_on(gate.authenticate(Some(token), 0))
}

fn group(name: &str) -> Group {
    name.parse().expect("a name")
}

fn made(who: &str, scope: Scope, groups: &[&str]) -> StaticToken {
    let groups = Groups::parse(groups.iter().copied()).expect("patterns");
    StaticToken::generate(who, scope, &groups).expect("a token")
}

#[test]
fn a_listed_token_opens_what_its_line_says() {
    let ann = made("ann's phone", Scope::Write, &["family", "team-*", "a b%"]);
    let fixture = Fixture::new();
    let gate = fixture.open(&format!("# tokens\n\n{}\r\n", ann.line)).expect("opens");
    let access = ask(&gate, &ann.token).expect("is let in");
    assert_eq!(access.subject, "ann's phone");
    assert_eq!((access.scope, access.expires), (Scope::Write, None));
    for name in ["family", "team-blue", "a b%"] {
        access.check(&group(name), Scope::Write).expect("is for it");
    }
    for (name, scope) in [("families", Scope::Read), ("family", Scope::Admin)] {
        let error = access.check(&group(name), scope).expect_err("is not for it");
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

#[test]
fn tokens_that_are_not_listed_are_denied_and_not_repeated() {
    let fixture = Fixture::new();
    let gate = fixture.open(&made("ann", Scope::Read, &["*"]).line).expect("opens");
    let huge = "x".repeat(1 << 20);
    for token in ["", " ", "secret-token", "\u{0}", "ü", "a.b.c", huge.as_str()] {
        let error = ask(&gate, token).expect_err("is not listed");
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(token.trim().len() < 3 || !format!("{error:?}").contains(token));
    }
    let error = pollster::block_on(gate.authenticate(None, 0)).expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Denied);
}

#[test]
fn the_hash_of_a_token_is_no_token() {
    let ann = made("ann", Scope::Read, &["*"]);
    let fixture = Fixture::new();
    let gate = fixture.open(&ann.line).expect("opens");
    let hash = ann.line.split(' ').next().expect("a hash");
    assert!(ask(&gate, hash).is_err());
    assert!(!ann.line.contains(&ann.token));
    assert!(!format!("{ann:?}").contains(&ann.token));
}

#[test]
fn tokens_are_never_the_same() {
    let tokens: std::collections::BTreeSet<String> =
        (0..100).map(|_| made("ann", Scope::Read, &["*"]).token).collect();
    assert_eq!(tokens.len(), 100);
}

#[test]
fn a_wrong_line_is_named_by_its_number() {
    let hash = hex(&[1; 32]);
    let wrong = [
        "no-hash ann read g".to_owned(),
        hash.clone(),
        format!("{hash} ann"),
        format!("{hash} ann read"),
        format!("{hash} ann root g"),
        format!("{hash} ann%zz read g"),
        format!("{hash} ann read g%2"),
        format!("{hash} ann read g%0A"),
        format!("{hash} ann read a*b"),
        format!("{hash} ann read %FF"),
        format!("{} ann read g", &hash[2..]),
        format!("{hash} {} read g", "x".repeat(201)),
    ];
    let fixture = Fixture::new();
    for line in wrong {
        let error = fixture.open(&format!("# one\n{line}\n")).expect_err("is wrong");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{line}");
        assert!(error.context().any(|pair| pair == ("line", "2")), "{line}: {error}");
        assert!(!error.to_string().contains(&hash), "{error}");
    }
    let twice = format!("{hash} ann read g\n{hash} bob admin g\n");
    let error = fixture.open(&twice).expect_err("is ambiguous");
    assert!(error.context().any(|pair| pair == ("line", "2")), "{error}");
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let error = TokenFile::open(Fixture::new().path()).expect_err("nothing there");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn a_changed_file_counts_at_once() {
    let (ann, bob) = (made("ann", Scope::Read, &["g"]), made("bob", Scope::Read, &["g"]));
    let fixture = Fixture::new();
    let gate = fixture.open(&ann.line).expect("opens");
    assert!(ask(&gate, &ann.token).is_ok() && ask(&gate, &bob.token).is_err());
    fixture.write(&format!("{}\n{}\n", ann.line, bob.line));
    assert!(ask(&gate, &bob.token).is_ok());
    fixture.write(&bob.line);
    assert!(ask(&gate, &ann.token).is_err() && ask(&gate, &bob.token).is_ok());
}

#[test]
fn a_slip_in_the_file_locks_nobody_out_and_lets_nobody_in() {
    let (ann, bob) = (made("ann", Scope::Read, &["g"]), made("bob", Scope::Read, &["g"]));
    let fixture = Fixture::new();
    let gate = fixture.open(&ann.line).expect("opens");
    fixture.write(&format!("{}\n{} oops", bob.line, &ann.line[..70]));
    assert!(ask(&gate, &ann.token).is_ok() && ask(&gate, &bob.token).is_err());
    fs::remove_file(fixture.path()).expect("removes");
    assert!(ask(&gate, &ann.token).is_ok());
    fixture.write(&format!("# nobody since {}", "today"));
    assert!(ask(&gate, &ann.token).is_err());
}

#[test]
fn an_admin_needs_no_group_and_others_do() {
    let admin = made("root", Scope::Admin, &[]);
    let fixture = Fixture::new();
    let gate = fixture.open(&admin.line).expect("opens");
    let access = ask(&gate, &admin.token).expect("is let in");
    access.check_scope(Scope::Admin).expect("may see the hub");
    assert!(access.check(&group("g"), Scope::Read).is_err(), "and no group");
    let error = StaticToken::generate("ann", Scope::Read, &Groups::only([])).expect_err("no group");
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[test]
fn a_subject_that_could_break_a_log_is_refused() {
    for who in ["", "a\nb", &"x".repeat(201)] {
        let error = StaticToken::generate(who, Scope::Read, &Groups::All).expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}

#[test]
fn any_of_several_gates_lets_in() {
    let ann = made("ann", Scope::Read, &["g"]);
    let fixture = Fixture::new();
    let file = fixture.open(&ann.line).expect("opens");
    let nobody = Jwt::new(Keys::new(), JwtRules::default());
    let gate = AnyOf::new([Arc::new(nobody) as Arc<dyn Authenticate>, Arc::new(file)]);
    assert_eq!(ask(&gate, &ann.token).expect("is let in").subject, "ann");
    assert_eq!(ask(&gate, "other").expect_err("is not").kind(), ErrorKind::Denied);
    assert_eq!(ask(&AnyOf::new([]), "x").expect_err("nobody is").kind(), ErrorKind::Denied);
}

/// A gate that cannot tell now.
#[derive(Debug)]
struct Away;

#[async_trait::async_trait]
impl Authenticate for Away {
    async fn authenticate(&self, _token: Option<&str>, _now_millis: i64) -> Result<Access> {
        Err(syncline_core::Error::new(ErrorKind::Unavailable, "the directory is out of reach"))
    }
}

#[test]
fn a_gate_that_cannot_tell_is_no_refusal() {
    let ann = made("ann", Scope::Read, &["g"]);
    let fixture = Fixture::new();
    let file: Arc<dyn Authenticate> = Arc::new(fixture.open(&ann.line).expect("opens"));
    let gate = AnyOf::new([Arc::new(Away) as Arc<dyn Authenticate>, file]);
    assert!(ask(&gate, &ann.token).is_ok());
    assert_eq!(ask(&gate, "other").expect_err("unsure").kind(), ErrorKind::Unavailable);
}
