//! Who is let in by a signed token.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use syncline_core::{ErrorKind, Result};
use syncline_server::auth::{
    Access, Authenticate, Ed25519Pair, Groups, Jwt, JwtClaims, JwtMaker, JwtRules, Keys, Scope,
    secret,
};

/// The hub's time in all tests, in milliseconds since 1970.
const NOW: i64 = 1_700_000_000_000;
const SECONDS: i64 = NOW / 1000;
const SECRET: &[u8] = b"a secret of at least thirty-two bytes";

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("writes");
        path
    }
}

/// A gate that knows one secret, and these rules.
fn gate(rules: JwtRules) -> Jwt {
    let files = Files::new();
    let path = files.write("secret", SECRET);
    Jwt::new(Keys::new().with_secret_file(path).expect("a secret"), rules)
}

fn ask(gate: &Jwt, token: &str) -> Result<Access> {
    pollster::block_on(gate.authenticate(Some(token), NOW))
}

/// The place that knows how a token with any claims is made.
fn signed(claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET))
        .expect("signs")
}

fn good() -> Value {
    json!({"sub": "ann", "groups": ["g", "team-*"], "scope": "write", "exp": SECONDS + 60})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = good();
    let _ = claims.as_object_mut().expect("an object").remove(name);
    claims
}

#[track_caller]
fn denied(gate: &Jwt, token: &str, says: &str) {
    let error = ask(gate, token).expect_err("is refused");
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.message().contains(says), "{error} should say «{says}»");
    assert!(token.len() < 9 || !format!("{error:?}").contains(token), "never repeats a token");
}

#[track_caller]
fn refused(claims: Value, says: &str) {
    denied(&gate(JwtRules::default()), &signed(&claims), says);
}

#[test]
fn a_good_token_opens_what_it_says() {
    let access = ask(&gate(JwtRules::default()), &signed(&good())).expect("is let in");
    assert_eq!((access.subject.as_str(), access.scope), ("ann", Scope::Write));
    assert_eq!(access.expires, Some(NOW + 60_000 + 30_000));
    let may = |name: &str, scope| access.check(&name.parse().expect("a name"), scope);
    may("g", Scope::Write).expect("its group");
    may("team-a", Scope::Read).expect("its groups");
    for (name, scope) in [("other", Scope::Read), ("g", Scope::Admin)] {
        assert_eq!(may(name, scope).expect_err("too much").kind(), ErrorKind::Denied);
    }
}

#[test]
fn a_token_is_valid_between_its_times_and_a_little_beyond() {
    let gate = gate(JwtRules::default());
    for (exp, nbf) in [(SECONDS - 29, 0), (SECONDS + 1, SECONDS + 30)] {
        let mut claims = with("exp", json!(exp));
        claims["nbf"] = json!(nbf);
        assert!(ask(&gate, &signed(&claims)).is_ok());
    }
    denied(&gate, &signed(&with("exp", json!(SECONDS - 30))), "expired");
    denied(&gate, &signed(&with("nbf", json!(SECONDS + 31))), "not valid yet");
    assert!(ask(&gate, &signed(&with("exp", json!(1e300)))).is_ok(), "the end of all times");
    assert!(ask(&gate, &signed(&with("exp", json!(SECONDS as f64 + 0.5)))).is_ok());
    denied(&gate, &signed(&with("exp", json!(-1e300))), "expired");
}

#[test]
fn a_token_that_lacks_or_garbles_what_it_must_say_is_refused() {
    for name in ["sub", "exp", "scope"] {
        refused(without(name), "lacks");
    }
    let garbled = [
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("sub", json!(7)),
        ("exp", json!("tomorrow")),
        ("exp", json!(null)),
        ("scope", json!("root")),
        ("scope", json!(["write"])),
        ("groups", json!("g")),
        ("groups", json!([7])),
        ("groups", json!([""])),
        ("groups", json!(["a\nb"])),
        ("nbf", json!("now")),
        ("aud", json!(7)),
    ];
    for (name, value) in garbled {
        refused(with(name, value), "lacks");
    }
    refused(json!([1]), "lacks");
    refused(json!("text"), "lacks");
}

#[test]
fn a_token_without_groups_opens_none() {
    let access = ask(&gate(JwtRules::default()), &signed(&without("groups"))).expect("somebody");
    assert!(!access.groups.has(&"g".parse().expect("a name")));
}

#[test]
fn of_several_scopes_the_greatest_known_counts() {
    let gate = gate(JwtRules::default());
    let claims = with("scope", json!("openid read profile write"));
    assert_eq!(ask(&gate, &signed(&claims)).expect("is let in").scope, Scope::Write);
}

#[test]
fn audience_issuer_and_life_are_looked_at_where_the_hub_says_so() {
    let strict = gate(JwtRules {
        audience: Some("hub".to_owned()),
        issuer: Some("login".to_owned()),
        longest_life: Some(Duration::from_secs(60)),
        ..JwtRules::default()
    });
    let claims = |aud: Value, iss: Value, life: i64| {
        let mut claims = with("aud", aud);
        claims["iss"] = iss;
        claims["exp"] = json!(SECONDS + life);
        signed(&claims)
    };
    for aud in [json!("hub"), json!(["other", "hub"])] {
        assert!(ask(&strict, &claims(aud, json!("login"), 60)).is_ok());
    }
    denied(&strict, &claims(json!("other"), json!("login"), 60), "another service");
    denied(&strict, &claims(json!(null), json!("login"), 60), "another service");
    denied(&strict, &claims(json!("hub"), json!("other"), 60), "does not trust");
    denied(&strict, &claims(json!("hub"), json!(null), 60), "does not trust");
    denied(&strict, &claims(json!("hub"), json!("login"), 3600), "longer");
    let lax = gate(JwtRules::default());
    assert!(ask(&lax, &claims(json!("other"), json!("other"), 1_000_000)).is_ok());
}

#[test]
fn another_key_does_not_open() {
    let gate = gate(JwtRules::default());
    let other = EncodingKey::from_secret(&[b'x'; 40]);
    let token = encode(&Header::new(Algorithm::HS256), &good(), &other).expect("signs");
    denied(&gate, &token, "signature");
    let good = signed(&good());
    let cut = &good[..good.len() - 1];
    denied(&gate, cut, "");
    let (head, signature) = good.rsplit_once('.').expect("a signature");
    denied(&gate, &format!("{head}."), "signature");
    let (head, _) = head.split_once('.').expect("claims");
    let admin = signed(&with("scope", json!("admin")));
    let forged = admin.split('.').nth(1).expect("claims");
    denied(&gate, &format!("{head}.{forged}.{signature}"), "signature");
}

#[test]
fn no_signature_is_no_signature() {
    let gate = gate(JwtRules::default());
    let claims = signed(&good());
    let claims = claims.split('.').nth(1).expect("claims");
    // {"alg":"none"}, {"alg":"None"}, {"typ":"JWT"}
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJOb25lIn0", "eyJ0eXAiOiJKV1QifQ"] {
        for signature in ["", "x", "AAAA"] {
            denied(&gate, &format!("{header}.{claims}.{signature}"), "");
        }
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_secret() {
    let pair = Ed25519Pair::generate().expect("a pair");
    let files = Files::new();
    let path = files.write("key.pem", &pair.public_pem);
    let keys = Keys::new().with_public_key_file(path).expect("a key");
    let gate = Jwt::new(keys, JwtRules::default());
    let raw = pem::parse(&pair.public_pem).expect("PEM");
    for secret in [pair.public_pem.as_bytes(), raw.contents(), &raw.contents()[12..]] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let key = EncodingKey::from_secret(secret);
            let token = encode(&Header::new(algorithm), &good(), &key).expect("signs");
            denied(&gate, &token, "not signed in a way");
        }
    }
}

#[test]
fn a_secret_is_for_one_algorithm() {
    let gate = gate(JwtRules::default());
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET);
        let token = encode(&Header::new(algorithm), &good(), &key).expect("signs");
        denied(&gate, &token, "not signed in a way");
    }
    let pair = Ed25519Pair::generate().expect("a pair");
    let maker = JwtMaker::with_private_key(pair.private_pem.as_bytes()).expect("a key");
    denied(&gate, &maker.make(&claims()).expect("signs"), "not signed in a way");
}

#[test]
fn a_header_that_demands_to_be_understood_is_refused() {
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["b64".to_owned()]);
    let token = encode(&header, &good(), &EncodingKey::from_secret(SECRET)).expect("signs");
    denied(&gate(JwtRules::default()), &token, "not signed in a way");
}

#[test]
fn garbage_is_denied() {
    let gate = gate(JwtRules::default());
    let huge = "a".repeat(1 << 20);
    let garbage =
        ["", ".", "..", "...", "a.b.c", "\u{0}.\u{0}.\u{0}", "ü.ü.ü", "e30.e30.e30", &huge];
    for token in garbage {
        denied(&gate, token, "");
    }
    let error = pollster::block_on(gate.authenticate(None, NOW)).expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Denied);
    let access = ask(&gate, &signed(&with("more", json!("x".repeat(9000))))).expect_err("too long");
    assert!(access.message().contains("longer"), "{access}");
}

fn claims() -> JwtClaims {
    JwtClaims {
        subject: "ann".to_owned(),
        groups: Groups::parse(["g", "team-*"]).expect("patterns"),
        scope: Scope::Write,
        expires: NOW + 60_000,
        not_before: Some(NOW),
        audience: Some("hub".to_owned()),
        issuer: None,
    }
}

#[test]
fn tokens_that_are_made_here_are_taken_here() {
    let files = Files::new();
    let pair = Ed25519Pair::generate().expect("a pair");
    let text = secret().expect("a secret");
    let keys = Keys::new()
        .with_public_key_file(files.write("key.pem", &pair.public_pem))
        .and_then(|keys| keys.with_secret_file(files.write("secret", format!("{text}\n"))))
        .expect("keys");
    let rules = JwtRules { audience: Some("hub".to_owned()), ..JwtRules::default() };
    let gate = Jwt::new(keys, rules);
    let makers = [
        JwtMaker::with_private_key(pair.private_pem.as_bytes()).expect("a key"),
        JwtMaker::with_secret(text.as_bytes()).expect("a secret"),
    ];
    for maker in makers {
        let access = ask(&gate, &maker.make(&claims()).expect("signs")).expect("is let in");
        assert_eq!((access.groups, access.subject.as_str()), (claims().groups, "ann"));
        let everything = JwtClaims { groups: Groups::All, scope: Scope::Admin, ..claims() };
        let access = ask(&gate, &maker.make(&everything).expect("signs")).expect("is let in");
        assert_eq!((access.groups, access.scope), (Groups::All, Scope::Admin));
        let nobody = JwtClaims { subject: String::new(), ..claims() };
        assert_eq!(maker.make(&nobody).expect_err("nobody").kind(), ErrorKind::Invalid);
    }
    assert!(!format!("{pair:?}").contains("PRIVATE"));
}

#[test]
fn weak_and_wrong_keys_are_refused() {
    let files = Files::new();
    let pair = Ed25519Pair::generate().expect("a pair");
    let keys = || Keys::new();
    let wrong = [
        keys().with_secret_file(files.write("short", [b'x'; 31])),
        keys().with_secret_file(files.write("short-with-end", format!("{}\r\n", "x".repeat(31)))),
        keys().with_public_key_file(files.write("private.pem", &pair.private_pem)),
        keys().with_public_key_file(files.write("garbage.pem", "garbage")),
        keys().with_key_set_file(files.write("garbage.json", "garbage")),
        keys().with_key_set_file(files.write("empty.json", r#"{"keys":[]}"#)),
    ];
    for keys in wrong {
        assert_eq!(keys.expect_err("is wrong").kind(), ErrorKind::Invalid);
    }
    let missing = keys().with_secret_file(files.0.path().join("missing"));
    assert_eq!(missing.expect_err("is missing").kind(), ErrorKind::NotFound);
    for pem in [pair.public_pem.as_str(), "garbage", ""] {
        let error = JwtMaker::with_private_key(pem.as_bytes()).expect_err("is none");
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert!(JwtMaker::with_secret(&[1; 31]).is_err());
}

/// A member of a key set, and who signs with it.
fn member(name: Option<&str>) -> (Value, EncodingKey) {
    let pair = Ed25519Pair::generate().expect("a pair");
    let private = pem::parse(pair.private_pem).expect("PEM");
    let key = EncodingKey::from_ed_der(private.contents());
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::EdDSA).expect("a key");
    let mut jwk = serde_json::to_value(jwk).expect("JSON");
    jwk["kid"] = json!(name);
    (jwk, key)
}

fn named(name: Option<&str>, key: &EncodingKey) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = name.map(str::to_owned);
    encode(&header, &good(), key).expect("signs")
}

#[test]
fn a_key_set_chooses_by_name_and_may_change() {
    let ((one, one_key), (two, two_key)) = (member(Some("one")), member(Some("two")));
    let files = Files::new();
    let path = files.write("keys.json", json!({"keys": [one, two]}).to_string());
    let gate = Jwt::new(Keys::new().with_key_set_file(&path).expect("keys"), JwtRules::default());
    assert!(ask(&gate, &named(Some("one"), &one_key)).is_ok());
    assert!(ask(&gate, &named(Some("two"), &two_key)).is_ok());
    assert!(ask(&gate, &named(None, &two_key)).is_ok(), "an unnamed one is tried with each");
    denied(&gate, &named(Some("one"), &two_key), "signature");
    denied(&gate, &named(Some("three"), &one_key), "not signed in a way");

    let _ = files.write("keys.json", json!({"keys": [two]}).to_string());
    denied(&gate, &named(Some("one"), &one_key), "not signed in a way");
    assert!(ask(&gate, &named(Some("two"), &two_key)).is_ok());
}

#[test]
fn a_key_set_holds_only_public_keys_for_signatures() {
    let (one, one_key) = member(Some("one"));
    let mut encrypting = member(Some("enc")).0;
    encrypting["use"] = json!("enc");
    let shared = json!({"kty": "oct", "kid": "oct", "alg": "HS256", "k": "AAAA"});
    let unknown = json!({"kty": "later", "kid": "later"});
    let files = Files::new();
    let set = json!({"keys": [encrypting, shared, unknown, one]}).to_string();
    let keys = Keys::new().with_key_set_file(files.write("keys.json", set)).expect("keys");
    let gate = Jwt::new(keys, JwtRules::default());
    assert!(ask(&gate, &named(Some("one"), &one_key)).is_ok());
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("oct".to_owned());
    let token = encode(&header, &good(), &EncodingKey::from_secret(&[0; 3])).expect("signs");
    denied(&gate, &token, "not signed in a way");

    for twice in [Some("x"), None] {
        let set = json!({"keys": [member(twice).0, member(twice).0]}).to_string();
        let keys = Keys::new().with_key_set_file(files.write("twice.json", set));
        assert_eq!(keys.expect_err("is ambiguous").kind(), ErrorKind::Invalid);
    }
}
