//! The keys of an issuer: from a file or a secret, or those that it publishes (`auth.jwt_jwks_url`): fetched when a token needs them, kept while they are good.
//!
//! ```text
//!   token with an unknown key ─▶ tried lately? ─▶ yes: refused
//!                                      └─▶ no: one fetch, everybody who needs it waits ─▶ ring
//!   good token ─▶ keys older than ten minutes? ─▶ one fetch, nobody waits
//! ```
//!
//! A fetch that fails leaves the keys as they are. Nobody asks, nothing runs.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::client::{Client, Redirects, Request, Route, Timeouts, Trust, TrustSettings, Url};
use crate::config::Config;
use crate::gate::jwt::{Key, KeyRing, Keys};
use crate::rt::sync::Notify;
use crate::rt::{self, Clock};
use crate::transport::site::KeySource;

use super::auth::refused;
use super::packs::Outside;
use super::plan::PlanError;

/// Between two tries. A stranger can make up as many key ids as he likes.
const TRY_PERIOD: Duration = Duration::from_secs(60);
/// The same while there are no keys at all: the issuer may start after us.
const FIRST_TRY_PERIOD: Duration = Duration::from_secs(10);
/// A key that its issuer has withdrawn is believed no longer than this after the next token.
const AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// How long a request waits for keys, at most.
const FETCH_MAX: Duration = Duration::from_secs(5);
/// Longest set of keys in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// A file of keys is no longer than this.
const KEY_FILE_BYTES_MAX: u64 = 256 * 1024;

/// The published keys of an issuer, which outlive a reload: it must not fail because the issuer is away.
#[derive(Clone, Default)]
pub struct Published(Rc<RefCell<Option<Rc<Jwks>>>>);

/// The keys that a configuration names, and where they are fetched from, if they are.
pub(super) fn keys(
    config: &Config,
    outside: &Outside,
    published: &Published,
) -> Result<(KeyRing, Option<Rc<Jwks>>), PlanError> {
    let auth = &config.auth;
    if let Some(path) = &auth.jwt_key_file {
        const KEY: &str = "auth.jwt_key_file";
        let named = |problem: String| refused(KEY, format!("`{}`: {problem}", path.display()));
        let bytes = read(path).map_err(named)?;
        let keys = Keys::of_file(&bytes).map_err(|error| named(error.to_string()))?;
        return Ok((KeyRing::new(keys), None));
    }
    if let Some(secret) = &auth.jwt_secret {
        let key = Key::secret(secret.expose().as_bytes());
        let keys = key.and_then(|key| Keys::of(vec![key]));
        let keys = keys.map_err(|error| refused("auth.jwt_secret", error.to_string()))?;
        return Ok((KeyRing::new(keys), None));
    }
    let url = auth.jwt_jwks_url.as_deref().unwrap_or_default();
    let url = Url::parse(url).map_err(|error| refused("auth.jwt_jwks_url", error.to_string()))?;
    let chosen = TrustSettings {
        ca_file: auth.jwt_jwks_ca_file.clone(),
        ..TrustSettings::default()
    };
    let trust = match chosen == TrustSettings::default() {
        true => Trust::standard(),
        false => Trust::new(chosen)
            .map_err(|error| refused("auth.jwt_jwks_ca_file", error.to_string()))?,
    };
    let known = published.0.borrow().clone();
    let jwks = match known.filter(|jwks| jwks.are_of(&url)) {
        Some(jwks) => {
            jwks.renew(trust);
            jwks
        }
        None => Jwks::new(url, outside.client().clone(), trust, Clock::system()),
    };
    published.0.replace(Some(Rc::clone(&jwks)));
    Ok((jwks.ring(), Some(jwks)))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read ({error})");
    let len = std::fs::metadata(path).map_err(cannot)?.len();
    if len > KEY_FILE_BYTES_MAX {
        return Err(format!(
            "{len} bytes, expected at most {KEY_FILE_BYTES_MAX}"
        ));
    }
    std::fs::read(path).map_err(cannot)
}

/// The keys behind one URL.
pub struct Jwks {
    url: Url,
    client: Client,
    clock: Clock,
    trust: RefCell<Trust>,
    ring: KeyRing,
    /// Of the last fetch, whatever came of it.
    tried: Cell<Option<Instant>>,
    is_fetching: Cell<bool>,
    fetched: Notify,
    /// Why the last fetch failed.
    problem: RefCell<Option<String>>,
}

impl Jwks {
    /// Those behind `url`. Nothing is fetched yet.
    pub fn new(url: Url, client: Client, trust: Trust, clock: Clock) -> Rc<Jwks> {
        Rc::new(Jwks {
            url,
            client,
            clock,
            trust: RefCell::new(trust),
            ring: KeyRing::default(),
            tried: Cell::new(None),
            is_fetching: Cell::new(false),
            fetched: Notify::new(),
            problem: RefCell::default(),
        })
    }

    /// Where the keys are put.
    pub fn ring(&self) -> KeyRing {
        self.ring.clone()
    }

    /// Whether they are those behind `url`.
    pub fn are_of(&self, url: &Url) -> bool {
        self.url == *url
    }

    /// After a reload: whom to believe now, and leave to fetch at once.
    pub fn renew(&self, trust: Trust) {
        self.trust.replace(trust);
        self.tried.set(None);
    }

    /// Fetches them now. How many there are, or why there are none.
    pub async fn check(self: &Rc<Jwks>) -> Result<usize, String> {
        self.fetch().await;
        match &*self.problem.borrow() {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.ring.current().len()),
        }
    }

    fn was_tried_within(&self, period: Duration) -> bool {
        let now = self.clock.now();
        let tried = self.tried.get();
        tried.is_some_and(|tried| now.saturating_duration_since(tried) < period)
    }

    /// Starts a fetch, unless one is under way.
    fn start(self: &Rc<Jwks>) {
        if self.is_fetching.replace(true) {
            return;
        }
        self.tried.set(Some(self.clock.now()));
        let jwks = Rc::clone(self);
        // A task of its own: whoever began it may go away, and others wait for it.
        rt::spawn(async move {
            let outcome = jwks.get().await;
            jwks.take(outcome);
            jwks.is_fetching.set(false);
            jwks.fetched.notify_all();
        })
        .detach();
    }

    async fn fetch(self: &Rc<Jwks>) {
        let fetched = self.fetched.notified();
        self.start();
        fetched.await;
    }

    async fn get(&self) -> Result<Keys, String> {
        let route = Route {
            timeouts: Timeouts {
                connect: FETCH_MAX,
                first_byte: FETCH_MAX,
                total: FETCH_MAX,
            },
            body_bytes_max: BODY_BYTES_MAX,
            redirects: Redirects::SameOrigin { max: 2 },
            trust: self.trust.borrow().clone(),
            ..Route::default()
        };
        let request = Request::get(self.url.clone()).header("Accept", "application/json");
        let sent = self.client.send(request, &route).await;
        let response = sent.map_err(|error| error.to_string())?;
        if response.status != 200 {
            return Err(format!("status {}, expected 200", response.status));
        }
        Keys::of_published(&response.body).map_err(|error| error.to_string())
    }

    fn take(&self, outcome: Result<Keys, String>) {
        match outcome {
            Ok(keys) => {
                log::debug!("auth.jwt_jwks_url: {} keys", keys.len());
                self.ring.replace(keys);
                if self.problem.take().is_some() {
                    log::info!("auth.jwt_jwks_url: keys fetched again");
                }
            }
            Err(problem) => {
                let kept = self.ring.current().len();
                if self.problem.borrow().as_ref() != Some(&problem) {
                    log::warn!("auth.jwt_jwks_url: {problem}; the {kept} keys of before stay");
                }
                self.problem.replace(Some(problem));
            }
        }
    }
}

/// For the transport, which knows neither HTTP clients nor clocks.
pub struct Source(pub Rc<Jwks>);

impl KeySource for Source {
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool>>> {
        let jwks = Rc::clone(&self.0);
        Box::pin(async move {
            let period = match jwks.ring.current().is_empty() {
                true => FIRST_TRY_PERIOD,
                false => TRY_PERIOD,
            };
            if !jwks.is_fetching.get() && jwks.was_tried_within(period) {
                return false;
            }
            jwks.fetch().await;
            true
        })
    }

    fn used(&self) {
        if !self.0.was_tried_within(AGE_MAX) {
            self.0.start();
        }
    }

    fn are_here(&self) -> bool {
        !self.0.ring.current().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    /// The key of RFC 8037 A.2, under an id.
    fn set(kid: &str) -> String {
        format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
        )
    }

    /// An issuer that counts its visitors and answers each with the next text, empty for a failure.
    fn issuer(answers: Vec<String>) -> (Url, mpsc::Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let (visits, visited) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                // Before the answer, so that whoever has it finds the visit counted.
                visits.send(()).unwrap();
                let status = if answer.is_empty() {
                    "500 No"
                } else {
                    "200 OK"
                };
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                    answer.len()
                )
                .unwrap();
            }
        });
        (Url::parse(&url).unwrap(), visited)
    }

    struct Rig {
        source: Source,
        clock: Clock,
        visited: mpsc::Receiver<()>,
    }

    impl Rig {
        fn new(answers: Vec<String>) -> Rig {
            let (url, visited) = issuer(answers);
            let clock = Clock::manual();
            let client = Client::new(crate::client::ClientSettings::default());
            let jwks = Jwks::new(url, client, Trust::standard(), clock.clone());
            Rig {
                source: Source(jwks),
                clock,
                visited,
            }
        }

        #[track_caller]
        fn check(&self, keys: usize, visits: usize) {
            assert_eq!(self.source.0.ring.current().len(), keys);
            assert_eq!(self.visited.try_iter().count(), visits);
        }
    }

    #[test]
    fn a_storm_of_unknown_keys_is_one_fetch_a_minute() {
        rt::run(async {
            let rig = Rig::new(vec![set("a"), set("b"), set("c")]);
            // All at once: one fetch, and all of them wait for it.
            let storm: Vec<_> = (0..50).map(|_| rt::spawn(rig.source.refresh())).collect();
            for one in storm {
                assert!(one.await);
            }
            rig.check(1, 1);
            for _ in 0..50 {
                assert!(!rig.source.refresh().await);
            }
            rig.clock.advance(TRY_PERIOD - Duration::from_millis(1));
            assert!(!rig.source.refresh().await);
            rig.check(1, 0);
            rig.clock.advance(Duration::from_millis(1));
            assert!(rig.source.refresh().await);
            rig.check(1, 1);
            assert!(!rig.source.refresh().await);
            // A reload gives leave.
            rig.source.0.renew(Trust::standard());
            assert!(rig.source.refresh().await);
            rig.check(1, 1);
        });
    }

    #[test]
    fn a_failed_fetch_keeps_the_keys() {
        rt::run(async {
            let bad = [
                String::new(),
                "{}".to_owned(),
                r#"{"keys":[]}"#.to_owned(),
                "<html>".to_owned(),
                format!("{}{}", set("a"), " ".repeat(BODY_BYTES_MAX)),
            ];
            let count = bad.len();
            let answers = [String::new(), set("a")].into_iter().chain(bad);
            let rig = Rig::new(answers.collect());
            // Without any keys it is tried again sooner.
            assert!(rig.source.refresh().await);
            rig.check(0, 1);
            rig.clock
                .advance(FIRST_TRY_PERIOD - Duration::from_millis(1));
            assert!(!rig.source.refresh().await);
            rig.clock.advance(Duration::from_millis(1));
            assert!(rig.source.refresh().await);
            rig.check(1, 1);
            for _ in 0..count {
                rig.clock.advance(TRY_PERIOD);
                assert!(rig.source.refresh().await);
                rig.check(1, 1);
                assert!(rig.source.0.problem.borrow().is_some());
            }
            // Nobody is there any more.
            rig.clock.advance(TRY_PERIOD);
            assert!(rig.source.refresh().await);
            rig.check(1, 0);
        });
    }

    #[test]
    fn old_keys_are_fetched_while_nobody_waits() {
        rt::run(async {
            let rig = Rig::new(vec![set("a"), set("b")]);
            assert!(rig.source.refresh().await);
            rig.source.used();
            rig.clock.advance(AGE_MAX - Duration::from_millis(1));
            rig.source.used();
            assert!(!rig.source.0.is_fetching.get());
            rig.clock.advance(Duration::from_millis(1));
            let fetched = rig.source.0.fetched.notified();
            rig.source.used();
            rig.source.used();
            fetched.await;
            rig.check(1, 2);
        });
    }

    #[test]
    fn a_check_says_what_is_there() {
        rt::run(async {
            let rig = Rig::new(vec![set("a"), String::new()]);
            assert_eq!(rig.source.0.check().await, Ok(1));
            let problem = rig.source.0.check().await.unwrap_err();
            assert!(problem.contains("500"), "{problem}");
        });
    }
}
