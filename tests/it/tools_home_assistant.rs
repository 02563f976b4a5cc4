//! The tools of `config/packs/home_assistant.toml` against a fake Home Assistant.

use crate::fakes::home_assistant::{HomeAssistant, TOKEN};
use crate::support::{Answer, Rig, Upstream, Value, json};

fn rig() -> Rig<HomeAssistant> {
    let house = Upstream::start(HomeAssistant::new());
    Rig::start("services__home_assistant", Some(TOKEN), house)
}

#[test]
fn tools_and_their_hints() {
    let expected = [
        "d call_service",
        "r check_config",
        "r get_history",
        "r get_logbook",
        "r get_state",
        "r list_actions",
        "r list_states",
        "r render_template",
        "w call_service_for_response",
    ];
    assert_eq!(rig().offers("home_assistant_"), expected);
}

#[test]
fn states_are_found_and_shown() {
    let mut rig = rig();
    let kitchen = json!({"entity_id": "light.kitchen", "state": "off", "name": "Kitchen ceiling"});
    let study = json!({"entity_id": "light.study", "state": "on", "name": "Study lamp"});
    let outside = json!({"entity_id": "sensor.outside", "state": "4.5", "name": "Outside temperature", "unit": "°C"});
    for (arguments, items) in [
        (json!({"domain": "light"}), json!([kitchen, study])),
        (json!({"query": "OUTSIDE temp"}), json!([outside])),
        (
            json!({"query": "kitchen", "domain": "light"}),
            json!([kitchen]),
        ),
        (json!({"domain": "light", "state": "on"}), json!([study])),
        (json!({"query": "cellar"}), json!([])),
    ] {
        let call = rig.expect_list(
            "home_assistant_list_states",
            arguments,
            "GET /api/states",
            items,
        );
        assert_eq!(
            call.header("authorization"),
            Some("Bearer eyJhbGciOiJIUzI1NiJ9.home")
        );
    }
    let few = rig.json("home_assistant_list_states", json!({"limit": 1}));
    assert_eq!((&few["shown"], &few["total"]), (&json!(1), &json!(4)));
    rig.upstream.taken();

    let state = rig.json(
        "home_assistant_get_state",
        json!({"entity_id": "sensor.outside"}),
    );
    assert_eq!(rig.upstream.only().line(), "GET /api/states/sensor.outside");
    assert_eq!(state["attributes"]["device_class"], "temperature");
    assert_eq!(
        (&state["state"], &state["context"]),
        (&json!("4.5"), &Value::Null)
    );
}

#[test]
fn templates_are_rendered() {
    let mut rig = rig();
    let template = "It is {{ states('sensor.outside') }} °C";
    let call = rig.expect_text(
        "home_assistant_render_template",
        json!({"template": template}),
        "POST /api/template",
        "It is 4.5 °C",
    );
    assert_eq!(call.json(), json!({"template": template}));
    let told = rig.failure(
        "home_assistant_render_template",
        json!({"template": "{{ states('x"}),
    );
    assert!(
        told.contains("Home Assistant answered 400: Error rendering template"),
        "{told}"
    );
}

#[test]
fn services_run_and_never_only_a_state() {
    let mut rig = rig();
    let call = rig.expect_list(
        "home_assistant_call_service",
        json!({"domain": "light", "service": "turn_on", "entity_id": "light.kitchen, light.study", "data": {"brightness_pct": 40}}),
        "POST /api/services/light/turn_on",
        json!([
            {"entity_id": "light.kitchen", "state": "on", "name": "Kitchen ceiling"},
            {"entity_id": "light.study", "state": "on", "name": "Study lamp"},
        ]),
    );
    let data = json!({"entity_id": "light.kitchen, light.study", "brightness_pct": 40});
    assert_eq!(call.json(), data);
    rig.upstream
        .state(|house| assert_eq!(house.called, [("light.turn_on".to_owned(), data)]));

    let all = json!({"domain": "light", "service": "turn_off", "entity_id": "all"});
    let off = rig.json("home_assistant_call_service", all);
    assert_eq!(off["shown"], 2, "{off}");
    rig.upstream.taken();

    // Without data there is no body, and that is fine.
    let nothing = json!({"domain": "light", "service": "turn_off"});
    rig.expect_list(
        "home_assistant_call_service",
        nothing,
        "POST /api/services/light/turn_off",
        json!([]),
    );
}

#[test]
fn a_response_is_asked_for_where_there_is_one_and_only_there() {
    let mut rig = rig();
    let forecast = json!({"domain": "weather", "service": "get_forecasts", "entity_id": "weather.home", "data": {"type": "daily"}});
    let call = rig.expect(
        "home_assistant_call_service_for_response",
        forecast.clone(),
        "POST /api/services/weather/get_forecasts?return_response",
        json!({"weather.home": {"forecast": [
            {"condition": "rainy", "datetime": "2026-11-21T11:00:00+00:00", "temperature": 6.0, "templow": null},
        ]}}),
    );
    assert_eq!(
        call.json(),
        json!({"entity_id": "weather.home", "type": "daily"})
    );

    let told = rig.failure("home_assistant_call_service", forecast);
    assert!(
        told.contains("answered 400: Service call requires responses"),
        "{told}"
    );
    let light = json!({"domain": "light", "service": "turn_on"});
    let told = rig.failure("home_assistant_call_service_for_response", light);
    assert!(
        told.contains("answered 400: Service does not support responses"),
        "{told}"
    );
    let unknown = json!({"domain": "light", "service": "explode"});
    let told = rig.failure("home_assistant_call_service", unknown);
    assert_eq!(
        told,
        "home_assistant_call_service: Home Assistant answered 400: 400: Bad Request"
    );
    rig.upstream
        .state(|house| assert_eq!(house.called.len(), 1));
}

#[test]
fn actions_are_listed_by_name() {
    let mut rig = rig();
    let items = json!([{"domain": "light", "actions": ["turn_off", "turn_on"]}]);
    rig.expect_list(
        "home_assistant_list_actions",
        json!({"domain": "light"}),
        "GET /api/services",
        items,
    );
    let full = rig.json(
        "home_assistant_list_actions",
        json!({"domain": "weather", "full": true}),
    );
    assert_eq!(
        full["items"][0]["services"]["get_forecasts"]["fields"]["type"]["required"],
        true
    );
}

#[test]
fn history_names_its_entities_and_both_ends() {
    let mut rig = rig();
    let change = |hour: u8, state: &str| json!({"time": format!("2026-11-20T{hour:02}:00:00+00:00"), "state": state});
    rig.expect_list(
        "home_assistant_get_history",
        json!({"entity_id": "sensor.outside", "start": "2026-11-20T05:00:00+01:00", "end": "2026-11-20"}),
        "GET /api/history/period/2026-11-20T04%3A00%3A00Z?filter_entity_id=sensor.outside&end_time=2026-11-20T00%3A00%3A00Z&minimal_response&no_attributes",
        json!([{"entity_id": "sensor.outside", "changes": [change(5, "3.9"), change(6, "4.2"), change(7, "4.5")]}]),
    );
    // Relative times; the end is always said, for without it Home Assistant takes one day.
    let thin = rig.json(
        "home_assistant_get_history",
        json!({"entity_id": "sensor.outside", "start": "7d", "max_points": 2}),
    );
    assert_eq!(
        thin["items"][0]["changes"],
        json!([change(5, "3.9"), change(7, "4.5")])
    );
    let call = rig.upstream.only();
    let time = |text: &str| text.contains('T') && text.ends_with('Z');
    assert!(
        time(&call.query("end_time").unwrap_or_default()),
        "{}",
        call.line()
    );
    rig.expect_list(
        "home_assistant_get_history",
        json!({"entity_id": "sensor.unknown", "start": "2026-11-20", "end": "2026-11-21"}),
        "GET /api/history/period/2026-11-20T00%3A00%3A00Z?filter_entity_id=sensor.unknown&end_time=2026-11-21T00%3A00%3A00Z&minimal_response&no_attributes",
        json!([]),
    );
}

#[test]
fn the_logbook_is_newest_first() {
    let mut rig = rig();
    let kitchen = json!({"when": "2026-11-20T06:10:00+00:00", "name": "Kitchen ceiling", "state": "off", "entity_id": "light.kitchen"});
    let study = json!({"when": "2026-11-20T06:00:00+00:00", "name": "Study lamp", "state": "on", "entity_id": "light.study"});
    let span = json!({"start": "2026-11-20", "end": "2026-11-21"});
    let line = "GET /api/logbook/2026-11-20T00%3A00%3A00Z?end_time=2026-11-21T00%3A00%3A00Z";
    rig.expect_list(
        "home_assistant_get_logbook",
        span.clone(),
        line,
        json!([kitchen, study]),
    );
    let mut one = span;
    one["entity_id"] = json!("light.study");
    rig.expect_list(
        "home_assistant_get_logbook",
        one,
        &format!("{line}&entity=light.study"),
        json!([study]),
    );
}

#[test]
fn the_configuration_is_checked() {
    let mut rig = rig();
    let call = rig.expect(
        "home_assistant_check_config",
        json!({}),
        "POST /api/config/core/check_config",
        json!({"result": "invalid", "errors": "Integration not found: frontend:", "warnings": null}),
    );
    assert!(call.body.is_empty());
}

#[test]
fn failures_are_told_in_its_words() {
    let mut rig = rig();
    let service = json!({"domain": "light", "service": "turn_on"});
    rig.expect_failures(
        &Answer::json(503, &json!({"message": "Recorder is down"})),
        "Home Assistant answered 503: Recorder is down",
        &[
            (
                "home_assistant_list_states",
                json!({}),
                "GET",
                "/api/states",
            ),
            (
                "home_assistant_get_state",
                json!({"entity_id": "light.study"}),
                "GET",
                "/api/states/light.study",
            ),
            (
                "home_assistant_render_template",
                json!({"template": "x"}),
                "POST",
                "/api/template",
            ),
            (
                "home_assistant_list_actions",
                json!({}),
                "GET",
                "/api/services",
            ),
            (
                "home_assistant_call_service",
                service.clone(),
                "POST",
                "/api/services/light/turn_on",
            ),
            (
                "home_assistant_call_service_for_response",
                service,
                "POST",
                "/api/services/light/turn_on",
            ),
            (
                "home_assistant_get_history",
                json!({"entity_id": "a.b", "start": "2026-11-20"}),
                "GET",
                "/api/history/period/2026-11-20T00%3A00%3A00Z",
            ),
            (
                "home_assistant_get_logbook",
                json!({"start": "2026-11-20"}),
                "GET",
                "/api/logbook/2026-11-20T00%3A00%3A00Z",
            ),
            (
                "home_assistant_check_config",
                json!({}),
                "POST",
                "/api/config/core/check_config",
            ),
        ],
    );
    let told = rig.failure(
        "home_assistant_get_state",
        json!({"entity_id": "light.cellar"}),
    );
    assert!(
        told.contains("no entity `light.cellar`; home_assistant_list_states finds it"),
        "{told}"
    );
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    rig().expect_refusals(&[
        ("home_assistant_list_states", json!({"limit": 0}), "`limit`"),
        (
            "home_assistant_list_states",
            json!({"domain": "light.kitchen"}),
            "`domain`",
        ),
        ("home_assistant_get_state", json!({}), "`entity_id`"),
        (
            "home_assistant_get_state",
            json!({"entity_id": "../config"}),
            "`entity_id`",
        ),
        (
            "home_assistant_render_template",
            json!({"template": ""}),
            "`template`",
        ),
        (
            "home_assistant_list_actions",
            json!({"full": "maybe"}),
            "`full`",
        ),
        (
            "home_assistant_call_service",
            json!({"domain": "light", "service": "turn_on?x"}),
            "`service`",
        ),
        (
            "home_assistant_call_service",
            json!({"domain": "light", "service": "turn_on", "data": "{}"}),
            "`data`",
        ),
        (
            "home_assistant_call_service_for_response",
            json!({"service": "turn_on"}),
            "`domain`",
        ),
        (
            "home_assistant_get_history",
            json!({"entity_id": "a.b", "start": "yesterday"}),
            "start",
        ),
        (
            "home_assistant_get_history",
            json!({"start": "1d"}),
            "`entity_id`",
        ),
        ("home_assistant_get_logbook", json!({"end": "soon"}), "end"),
        (
            "home_assistant_check_config",
            json!({"file": "x"}),
            "`file`",
        ),
    ]);
}

#[test]
fn a_wrong_token_is_said_and_not_shown() {
    let house = Upstream::start(HomeAssistant::new());
    let mut rig = Rig::start("services__home_assistant", Some("s3cret-and-wrong"), house);
    let told = rig.failure("home_assistant_list_states", json!({}));
    assert_eq!(
        told,
        "home_assistant_list_states: Home Assistant answered 401: 401: Unauthorized"
    );
    assert!(!rig.server.log().contains("s3cret"), "{}", rig.server.log());
}
