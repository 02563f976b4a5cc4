//! rmcp's client: `siskin-rmcp-client TRANSPORT MODE TARGET…`.
//!
//! The twin of `python_client.py`, words and lines as there; stdio and Streamable HTTP, for the crate has no HTTP+SSE. A project of
//! its own, outside siskin's workspace, so that tokio stays out of siskin's lock file. Called by `run.sh`.

use std::{future::Future, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt, RoleClient,
    model::{
        CallToolRequestParams, ClientRequest, GetPromptRequestParams, ProgressNotificationParam,
        ProtocolVersion, ReadResourceRequestParams, Request, ResourceContents,
        ResourceUpdatedNotificationParam, ServerNotification, ServerResult, SubscribeRequestParams,
        SubscriptionFilter, UnsubscribeRequestParams,
    },
    service::{NotificationContext, PeerRequestOptions, RunningService},
    transport::{StreamableHttpClientTransport, TokioChildProcess},
};
use tokio::sync::Mutex;

const LABEL: &str = "rmcp 3.9.0";
const WATCHED: &str = "test://watched-resource";
const STATIC_TEXT: &str = "This is the content of the static text resource.";
const TOOLS: [&str; 3] = [
    "test_simple_text",
    "test_tool_with_progress",
    "test_trigger_resource_update",
];

/// A progress note's `progress` and `total`.
type Step = (f64, Option<f64>);

/// What has come in beside the answers.
#[derive(Clone, Default)]
struct Seen {
    progress: Arc<Mutex<Vec<Step>>>,
    updated: Arc<Mutex<Vec<String>>>,
}

impl ClientHandler for Seen {
    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.progress
            .lock()
            .await
            .push((params.progress, params.total));
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.updated.lock().await.push(params.uri);
    }
}

type Client = RunningService<RoleClient, Seen>;

/// Prints the cases' lines and counts the failures.
struct Report {
    transport: String,
    deadline: Duration,
    failed: u32,
}

impl Report {
    async fn case<T>(&mut self, name: &str, run: impl Future<Output = Result<T>>) -> Option<T> {
        let outcome = match tokio::time::timeout(self.deadline, run).await {
            Ok(outcome) => outcome,
            Err(_) => Err(anyhow::anyhow!(
                "nothing within {} s",
                self.deadline.as_secs()
            )),
        };
        match outcome {
            Ok(value) => {
                println!("ok   {LABEL}  {}  {name}", self.transport);
                Some(value)
            }
            Err(error) => {
                self.fail(name, &format!("{error:#}"));
                None
            }
        }
    }

    fn fail(&mut self, name: &str, reason: &str) {
        self.failed += 1;
        println!(
            "FAIL {LABEL}  {}  {name}  {}",
            self.transport,
            reason.replace('\n', " ")
        );
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [transport, mode, target @ ..] = args.as_slice() else {
        eprintln!("usage: siskin-rmcp-client TRANSPORT MODE TARGET…");
        return ExitCode::from(2);
    };
    let mut report = Report {
        transport: format!("{transport} {mode}"),
        deadline: Duration::from_secs(
            std::env::var("SISKIN_CASE_SECONDS")
                .ok()
                .and_then(|seconds| seconds.parse().ok())
                .unwrap_or(20),
        ),
        failed: 0,
    };
    let seen = Seen::default();

    match report
        .case("connect", connect(seen.clone(), transport, mode, target))
        .await
    {
        Some(client) => {
            report.case("list-tools", list_tools(&client)).await;
            report
                .case("call-with-progress", call_with_progress(&client, &seen))
                .await;
            report.case("read-resource", read_resource(&client)).await;
            report
                .case(
                    "subscribe-and-receive",
                    subscribe_and_receive(&client, &seen, mode),
                )
                .await;
            report.case("get-prompt", get_prompt(&client)).await;
            report
                .case("close", async {
                    client.cancel().await.context("the client's task panicked")
                })
                .await;
        }
        None => {
            for name in [
                "list-tools",
                "call-with-progress",
                "read-resource",
                "subscribe-and-receive",
                "get-prompt",
                "close",
            ] {
                report.fail(name, "not reached");
            }
        }
    }
    if report.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn connect(seen: Seen, transport: &str, mode: &str, target: &[String]) -> Result<Client> {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let (lifecycle, wanted) = match mode {
        "legacy" => (
            ClientLifecycleMode::Initialize,
            ProtocolVersion::V_2025_11_25,
        ),
        "auto" => (
            ClientLifecycleMode::Auto {
                preferred_versions,
                legacy_version: None,
            },
            ProtocolVersion::V_2026_07_28,
        ),
        "2026-07-28" => (
            ClientLifecycleMode::Discover { preferred_versions },
            ProtocolVersion::V_2026_07_28,
        ),
        other => bail!("mode `{other}` is unknown"),
    };
    let [first, rest @ ..] = target else {
        bail!("no target was given")
    };
    let client = match transport {
        "stdio" => {
            let mut command = tokio::process::Command::new(first);
            command.args(rest);
            seen.serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle)
                .await?
        }
        "streamable-http" => {
            seen.serve_with_lifecycle(
                StreamableHttpClientTransport::from_uri(first.as_str()),
                lifecycle,
            )
            .await?
        }
        other => bail!("transport `{other}` is unknown"),
    };
    let info = client
        .peer_info()
        .context("the client knows nothing of its server")?;
    ensure!(
        info.protocol_version == wanted,
        "version is {}, not {wanted}",
        info.protocol_version
    );
    ensure!(
        info.server_info
            .as_ref()
            .is_some_and(|server| !server.name.is_empty()),
        "the server has no name"
    );
    Ok(client)
}

async fn list_tools(client: &Client) -> Result<()> {
    let tools = client.list_all_tools().await?;
    for name in TOOLS {
        ensure!(
            tools.iter().any(|tool| tool.name == name),
            "`{name}` missing among {} tools",
            tools.len()
        );
    }
    Ok(())
}

async fn call_with_progress(client: &Client, seen: &Seen) -> Result<()> {
    let request = ClientRequest::CallToolRequest(Request::new(CallToolRequestParams::new(
        "test_tool_with_progress",
    )));
    let handle = client
        .send_cancellable_request(request, PeerRequestOptions::no_options())
        .await?;
    let ServerResult::CallToolResult(result) = handle.await_response().await? else {
        bail!("the call was answered by something else");
    };
    ensure!(
        result.is_error != Some(true) && !result.content.is_empty(),
        "the call answered {result:?}"
    );
    let wanted = [
        (0.0, Some(100.0)),
        (50.0, Some(100.0)),
        (100.0, Some(100.0)),
    ];
    eventually(async || seen.progress.lock().await.len() >= wanted.len()).await;
    let got = seen.progress.lock().await;
    ensure!(*got == wanted, "progress is {got:?}, not {wanted:?}");
    Ok(())
}

async fn read_resource(client: &Client) -> Result<()> {
    let result = client
        .read_resource(ReadResourceRequestParams::new("test://static-text"))
        .await?;
    let [ResourceContents::TextResourceContents { text, .. }] = result.contents.as_slice() else {
        bail!("contents are {:?}", result.contents);
    };
    ensure!(text == STATIC_TEXT, "text is {text:?}");
    Ok(())
}

async fn subscribe_and_receive(client: &Client, seen: &Seen, mode: &str) -> Result<()> {
    let trigger = || client.call_tool(CallToolRequestParams::new("test_trigger_resource_update"));
    if mode != "legacy" {
        let filter = SubscriptionFilter::builder()
            .resource_subscriptions([WATCHED])
            .build();
        let mut subscription = client.listen(filter.clone()).await?;
        ensure!(
            *subscription.acknowledged() == filter,
            "acknowledged was {:?}",
            subscription.acknowledged()
        );
        trigger().await?;
        let note = subscription.next().await?;
        let Some(ServerNotification::ResourceUpdatedNotification(note)) = note else {
            bail!("received {note:?}")
        };
        ensure!(note.params.uri == WATCHED, "updated is {}", note.params.uri);
        subscription.cancel().await?;
        return Ok(());
    }
    #[expect(deprecated, reason = "the older revisions' way is the point here")]
    client
        .subscribe(SubscribeRequestParams::new(WATCHED))
        .await?;
    trigger().await?;
    eventually(async || !seen.updated.lock().await.is_empty()).await;
    ensure!(
        *seen.updated.lock().await == [WATCHED],
        "updated is {:?}",
        seen.updated.lock().await
    );
    #[expect(deprecated, reason = "the older revisions' way is the point here")]
    client
        .unsubscribe(UnsubscribeRequestParams::new(WATCHED))
        .await?;
    Ok(())
}

async fn get_prompt(client: &Client) -> Result<()> {
    let mut params = GetPromptRequestParams::new("test_prompt_with_arguments");
    params.arguments = Some(
        [("arg1", "sparrow"), ("arg2", "finch")]
            .map(|(key, value)| (key.to_owned(), value.into()))
            .into_iter()
            .collect(),
    );
    let messages = format!("{:?}", client.get_prompt(params).await?.messages);
    ensure!(
        messages.contains("sparrow") && messages.contains("finch"),
        "the prompt reads {messages}"
    );
    Ok(())
}

/// Waits for what arrives beside the answer; the case's deadline bounds it.
async fn eventually(condition: impl AsyncFn() -> bool) {
    while !condition().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
