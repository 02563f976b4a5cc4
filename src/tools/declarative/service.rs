//! An opened service: a pack with its URL, its credential and its place in the world.
//!
//! ```text
//!   exchange ─▶ session? ──no──▶ login (one at a time) ─▶ session kept
//!      │           │                                        │
//!      ├─ headers, credential ◀─────────────────────────────┘
//!      ├─ send ─▶ answer 401 and a session of ours? ─▶ drop it, log in, send once more
//!      └─ count the outcome
//! ```
//!
//! Requests go to the service's own origin and nowhere else. Out of scope: what a status means to a tool (`run`).

use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::auth::AuthSpec;
use super::pack::{ProbeSpec, ServiceSpec};
use super::request::Outgoing;
use super::session::Sessions;
use super::template::{Scope, Unfit, halves};
use super::words::{masked, message, one_line};
use crate::client::{
    Client, ClientError, Egress, Redirects, Request, Response, Route, Timeouts, Trust, Url,
};
use crate::metrics::{Metrics, ServiceIndex, UpstreamOutcome};
use crate::rt::process::Children;
use crate::sorted::SortedMap;
use crate::tools::written::quoted;
use crate::tools::{LocalFuture, command};

/// Most redirects of one GET, all within the origin.
const REDIRECTS_MAX: u8 = 3;
/// A service that does not answer a look within this is not ready.
const PROBE_MAX: Duration = Duration::from_secs(5);

/// Sends requests: the client, or a test's idea of the world.
pub trait Upstream {
    /// Sends one and reads the whole answer.
    fn send<'a>(
        &'a self,
        request: Request,
        route: &'a Route,
    ) -> LocalFuture<'a, Result<Response, ClientError>>;
}

impl Upstream for Client {
    fn send<'a>(
        &'a self,
        request: Request,
        route: &'a Route,
    ) -> LocalFuture<'a, Result<Response, ClientError>> {
        Box::pin(Client::send(self, request, route))
    }
}

/// What all services share.
#[derive(Clone)]
pub struct World {
    /// Who sends.
    pub upstream: Rc<dyn Upstream>,
    /// The present, in milliseconds since 1970.
    pub now_ms: fn() -> i64,
    /// Where requests are counted.
    pub metrics: Rc<Metrics>,
    /// Who starts programs, and how many at once.
    pub children: Rc<Children>,
    /// What holds for programs where a pack says nothing.
    pub commands: command::Defaults,
}

/// What the configuration says about a service. No `Debug`: it holds secrets.
pub struct ServiceSettings {
    /// Where it is; absent only for packs that need none.
    pub url: Option<String>,
    /// The credential.
    pub token: Option<String>,
    /// The pack's own options.
    pub options: SortedMap<String, String>,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Time of one request, if the operator chose one for this service.
    pub timeout: Option<Duration>,
    /// Times of one request where nobody says otherwise.
    pub timeouts: Timeouts,
    /// Most bytes of an answer; a pack can only lower it.
    pub response_bytes_max: usize,
}

/// See the module.
pub struct Service {
    pub(super) spec: ServiceSpec,
    /// URL and the pack's prefix, without a slash at the end.
    base: String,
    pub(super) token: Option<String>,
    options: SortedMap<String, String>,
    trust: Trust,
    timeout: Option<Duration>,
    timeouts: Timeouts,
    response_bytes_max: usize,
    world: World,
    index: ServiceIndex,
    pub(super) sessions: Sessions,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// Something to be said behind the tool's name; without secrets.
    Text(String),
    /// A value of the caller that does not fit.
    Unfit(Unfit),
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Failure {
        Failure::Unfit(unfit)
    }
}

impl Service {
    /// Puts a service to work.
    ///
    /// # Errors
    /// What is wrong with its settings, each with the key in front.
    pub(super) fn open(
        spec: ServiceSpec,
        settings: ServiceSettings,
        world: World,
    ) -> Result<Service, Vec<String>> {
        let mut problems = Vec::new();
        let mut options = settings.options;
        let id = &spec.id;
        for name in options.keys() {
            let known = || spec.options.iter().map(|option| &*option.name);
            if known().any(|option| option == name) {
                continue;
            }
            let remedy = match crate::nearest::nearest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the pack knows {}", quoted(&mut known())),
            };
            problems.push(format!("services.{id}.{name}: unknown option; {remedy}"));
        }
        for option in &spec.options {
            if let Some(default) = &option.default
                && !options.contains_key(&*option.name)
            {
                options.insert(option.name.to_string(), default.to_string());
            }
            let is_set = options
                .get(&*option.name)
                .is_some_and(|text| !text.is_empty());
            if option.is_required && !is_set {
                problems.push(format!(
                    "services.{id}.{}: is missing, and {} needs it",
                    option.name, spec.title
                ));
            }
        }
        let base = match &settings.url {
            None if spec.needs_url => {
                problems.push(format!("services.{id}.url: is missing"));
                String::new()
            }
            None => String::new(),
            Some(url) => match Url::parse(url) {
                Ok(parsed) if parsed.query().is_some() || url.contains('#') => {
                    problems.push(format!(
                        "services.{id}.url: leave out what follows `?` or `#`"
                    ));
                    String::new()
                }
                Ok(parsed) => format!("{}{}", parsed.as_str().trim_end_matches('/'), spec.path),
                Err(error) => {
                    problems.push(format!("services.{id}.url: {error}"));
                    String::new()
                }
            },
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Service {
            index: world.metrics.service(id),
            spec,
            base,
            token: settings.token.filter(|token| !token.is_empty()),
            options,
            trust: settings.trust,
            timeout: settings.timeout,
            timeouts: settings.timeouts,
            response_bytes_max: settings.response_bytes_max,
            world,
            sessions: Sessions::default(),
        })
    }

    /// The pack's id.
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// Its name for people.
    pub fn title(&self) -> &str {
        &self.spec.title
    }

    /// Where it is, with the pack's prefix; empty if it needs no URL.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Whether anybody's certificate is believed.
    pub fn is_insecure(&self) -> bool {
        self.trust.is_insecure()
    }

    pub(super) fn options(&self) -> &SortedMap<String, String> {
        &self.options
    }

    pub(super) fn world(&self) -> &World {
        &self.world
    }

    pub(super) fn now_ms(&self) -> i64 {
        (self.world.now_ms)()
    }

    /// A text without the secrets of this service.
    pub(super) fn masked(&self, text: &str) -> String {
        masked(text, self.secrets().iter().map(String::as_str))
    }

    /// What nobody is to see.
    pub(super) fn secrets(&self) -> Vec<String> {
        let token = self.token.clone();
        let password = token.as_deref().map(|token| halves(token).1.to_owned());
        let options = self.spec.options.iter().filter(|option| option.is_secret);
        let options = options.filter_map(|option| self.options.get(&*option.name));
        (token.into_iter())
            .chain(password)
            .chain(self.sessions.text())
            .chain(options.cloned())
            .collect()
    }

    /// What is said of an answer that is a failure.
    pub(super) fn refusal(&self, response: &Response, error_at: &[Box<str>]) -> String {
        let status = response.status;
        let said = message(&response.body, error_at).unwrap_or_default();
        let said = match (status, said.is_empty()) {
            (300..=399, _) => match response.headers.value("location") {
                Some(to) => {
                    let to = to.split(['?', '#']).next().unwrap_or_default();
                    format!(
                        ": it redirects to `{to}`; `services.{}.url` should lead there directly",
                        self.spec.id
                    )
                }
                None => String::new(),
            },
            (_, false) => format!(": {said}"),
            (401, true) => format!(": check `services.{}.token`", self.spec.id),
            (403, true) => format!(": `services.{}.token` may not do this", self.spec.id),
            (_, true) => String::new(),
        };
        one_line(&self.masked(&format!("{} answered {status}{said}", self.spec.title)))
    }

    /// Sends a request with everything the service wants in it, and logs in before where that is needed.
    pub(super) async fn exchange(
        &self,
        mut outgoing: Outgoing,
        response_bytes_max: Option<usize>,
    ) -> Result<Response, Failure> {
        self.add_headers(&mut outgoing)?;
        let AuthSpec::Login(login) = &self.spec.auth else {
            self.add_credential(&mut outgoing, None)?;
            return self.send(outgoing, response_bytes_max).await;
        };
        let session = self.session(login).await?;
        let mut first = outgoing.clone();
        self.add_credential(&mut first, session.as_deref())?;
        let response = self.send(first, response_bytes_max).await?;
        let has_ended = login
            .again_on
            .iter()
            .any(|status| status.matches(response.status));
        if session.is_none() || !has_ended {
            return Ok(response);
        }
        self.sessions.forget(session.as_deref());
        let session = self.session(login).await?;
        self.add_credential(&mut outgoing, session.as_deref())?;
        self.send(outgoing, response_bytes_max).await
    }

    /// Follows a link of the service to its next page.
    pub(super) fn follow(
        &self,
        outgoing: &mut Outgoing,
        from: &Url,
        link: &str,
    ) -> Result<(), String> {
        let url = from
            .join(link)
            .map_err(|error| format!("the link to the next page cannot be used: {error}"))?;
        let base = Url::parse(&self.base).map_err(|error| error.to_string())?;
        if url.origin() != base.origin() {
            return Err(format!(
                "the link to the next page leads to `{}`, and secrets do not leave `{}`",
                url.origin(),
                base.origin()
            ));
        }
        // The link says everything; what goes into the query besides is the credential.
        outgoing.query.clear();
        outgoing.target = Some(url.target().to_owned());
        Ok(())
    }

    pub(super) fn scope<'a>(
        &'a self,
        arguments: &'a Map<String, Value>,
        login: Option<&'a str>,
    ) -> Scope<'a> {
        Scope {
            arguments,
            befores: &[],
            options: &self.options,
            result: None,
            token: self.token.as_deref(),
            login,
            now_ms: self.now_ms(),
        }
    }

    pub(super) fn add_headers(&self, outgoing: &mut Outgoing) -> Result<(), Unfit> {
        let arguments = Map::new();
        let scope = self.scope(&arguments, None);
        for (name, template) in &self.spec.headers {
            if let Some(value) = template.text(&scope)? {
                let value = super::header::header_value(name, value)?;
                outgoing.set_header(name, &value);
            }
        }
        outgoing.set_header("Accept", outgoing.accept);
        Ok(())
    }

    pub(super) fn add_credential(
        &self,
        outgoing: &mut Outgoing,
        login: Option<&str>,
    ) -> Result<(), Unfit> {
        let arguments = Map::new();
        self.spec
            .auth
            .apply(outgoing, &self.scope(&arguments, login))
    }

    pub(super) async fn send(
        &self,
        outgoing: Outgoing,
        response_bytes_max: Option<usize>,
    ) -> Result<Response, Failure> {
        let response_bytes_max = response_bytes_max
            .or(self.spec.response_bytes_max)
            .unwrap_or(usize::MAX)
            .min(self.response_bytes_max);
        let follows = self.spec.follows_redirects && outgoing.method.is_safe();
        let route = Route {
            timeouts: self.timeouts_of(outgoing.timeout_ms),
            body_bytes_max: response_bytes_max,
            redirects: match follows {
                true => Redirects::SameOrigin { max: REDIRECTS_MAX },
                false => Redirects::Refuse,
            },
            egress: Egress::Any,
            trust: self.trust.clone(),
            user_agent: None,
        };
        let said = |text: String| Failure::Text(one_line(&self.masked(&text)));
        let url = Url::parse(&outgoing.url(&self.base)).map_err(|error| {
            said(format!(
                "{}: the URL cannot be used: {error}",
                self.spec.title
            ))
        })?;
        let request = Request {
            method: outgoing.method,
            url,
            headers: outgoing.headers,
            body: outgoing.body,
        };
        let counted = Counted {
            metrics: &self.world.metrics,
            index: self.index,
            outcome: UpstreamOutcome::Cancelled,
        };
        let response = self.world.upstream.send(request, &route).await;
        counted.end(match &response {
            Ok(response) => UpstreamOutcome::of_status(response.status),
            Err(error) => error.outcome(),
        });
        response.map_err(|error| said(format!("{}: {error}", self.spec.title)))
    }

    fn timeouts_of(&self, request_ms: Option<u64>) -> Timeouts {
        let chosen = request_ms.map(Duration::from_millis);
        let service = || {
            self.timeout
                .or(self.spec.timeout_ms.map(Duration::from_millis))
        };
        let Some(total) = chosen.or_else(service) else {
            return self.timeouts;
        };
        Timeouts {
            connect: self.timeouts.connect.min(total),
            first_byte: total,
            total,
        }
    }

    /// How long a request of this time limit may take.
    pub(super) fn total(&self, request_ms: Option<u64>) -> Duration {
        self.timeouts_of(request_ms).total
    }

    // --- probe --------------------------------------------------------------------------------

    /// Whether it has a probe.
    pub fn has_probe(&self) -> bool {
        self.spec.probe.is_some()
    }

    /// Looks whether the service answers as it should.
    ///
    /// # Errors
    /// Why not, in one line without secrets.
    pub async fn probe(&self) -> Result<(), String> {
        let Some(probe) = &self.spec.probe else {
            return Ok(());
        };
        match self.ask_probe(probe).await {
            Ok(response)
                if probe
                    .expect
                    .iter()
                    .any(|status| status.matches(response.status)) =>
            {
                Ok(())
            }
            Ok(response) => Err(self.refusal(&response, &self.spec.error_at)),
            Err(Failure::Text(text)) => Err(text),
            Err(Failure::Unfit(unfit)) => Err(format!("{}: {unfit}", self.spec.title)),
        }
    }

    async fn ask_probe(&self, probe: &ProbeSpec) -> Result<Response, Failure> {
        let arguments = Map::new();
        let mut outgoing = probe.request.build(&self.scope(&arguments, None))?;
        let total = self.total(outgoing.timeout_ms).min(PROBE_MAX);
        outgoing.timeout_ms = u64::try_from(total.as_millis()).ok();
        if probe.has_auth {
            return self.exchange(outgoing, None).await;
        }
        self.add_headers(&mut outgoing)?;
        self.send(outgoing, None).await
    }
}

/// Counts a request however it ends; dropped, it was cancelled.
struct Counted<'a> {
    metrics: &'a Metrics,
    index: ServiceIndex,
    outcome: UpstreamOutcome,
}

impl Counted<'_> {
    fn end(mut self, outcome: UpstreamOutcome) {
        self.outcome = outcome;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.metrics.upstream(self.index, self.outcome);
    }
}
