//! Home Assistant, from the developer documentation "REST API" (August 2026) and, for the exact
//! words of refusals, the `api`, `history`, `logbook` and `config` components of its core.

use super::super::support::{Answer, Call, Paths, Route, Service, Value, json};

/// The long-lived access token it accepts.
pub const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.home";

/// A house with a few entities.
pub struct HomeAssistant {
    /// The states, by entity.
    pub states: Vec<Value>,
    /// What came to pass, in order: `light.turn_on` and its data.
    pub called: Vec<(String, Value)>,
}

/// What a service says about responses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Responds {
    Never,
    Optionally,
    Always,
}

const SERVICES: &[(&str, &str, Responds)] = &[
    ("light", "turn_on", Responds::Never),
    ("light", "turn_off", Responds::Never),
    ("conversation", "process", Responds::Optionally),
    ("weather", "get_forecasts", Responds::Always),
];

impl HomeAssistant {
    /// Two lights, a sensor and the weather.
    pub fn new() -> HomeAssistant {
        let state = |entity_id: &str, state: &str, attributes: Value| {
            json!({
                "entity_id": entity_id,
                "state": state,
                "attributes": attributes,
                "last_changed": "2026-11-20T07:00:00.123456+00:00",
                "last_reported": "2026-11-20T07:05:00.123456+00:00",
                "last_updated": "2026-11-20T07:05:00.123456+00:00",
                "context": {"id": "01K", "parent_id": null, "user_id": null},
            })
        };
        let light = |name: &str| json!({"friendly_name": name, "supported_color_modes": ["onoff"], "supported_features": 0});
        HomeAssistant {
            called: Vec::new(),
            states: vec![
                state("light.study", "on", light("Study lamp")),
                state("light.kitchen", "off", light("Kitchen ceiling")),
                state(
                    "sensor.outside",
                    "4.5",
                    json!({"friendly_name": "Outside temperature", "unit_of_measurement": "°C", "device_class": "temperature"}),
                ),
                state(
                    "weather.home",
                    "cloudy",
                    json!({"friendly_name": "Weather"}),
                ),
            ],
        }
    }

    fn find(&mut self, entity_id: &str) -> Option<&mut Value> {
        let mut states = self.states.iter_mut();
        states.find(|state| state["entity_id"] == entity_id)
    }

    fn message(status: u16, text: &str) -> Answer {
        Answer::json(status, &json!({"message": text}))
    }

    fn root(&mut self, _: &Call) -> Answer {
        HomeAssistant::message(200, "API running.")
    }

    fn list_states(&mut self, _: &Call) -> Answer {
        Answer::json(200, &json!(self.states))
    }

    fn show_state(&mut self, call: &Call) -> Answer {
        match self.find(call.arg("entity_id")) {
            Some(state) => Answer::json(200, state),
            None => HomeAssistant::message(404, "Entity not found."),
        }
    }

    /// Only draws a state, as documented; a pack has no business here, so it is seen in `called`.
    fn fake_state(&mut self, call: &Call) -> Answer {
        self.called.push(("fake_state".to_owned(), call.json()));
        Answer::json(201, &call.json())
    }

    fn list_services(&mut self, _: &Call) -> Answer {
        let service = |description: &str, fields: Value| json!({"name": "", "description": description, "fields": fields, "target": {"entity": [{}]}});
        Answer::json(
            200,
            &json!([
                {"domain": "light", "services": {
                    "turn_on": service("Turns on one or more lights.", json!({"brightness_pct": {"selector": {"number": {"min": 0, "max": 100}}}})),
                    "turn_off": service("Turns off one or more lights.", json!({})),
                }},
                {"domain": "weather", "services": {
                    "get_forecasts": service("Retrieves the forecast from weather services.", json!({"type": {"required": true}})),
                }},
                {"domain": "conversation", "services": {"process": service("Says something.", json!({}))}},
            ]),
        )
    }

    fn call_service(&mut self, call: &Call) -> Answer {
        let (domain, service) = (call.arg("domain"), call.arg("service"));
        let data = match call.body.is_empty() {
            true => json!({}),
            false => match call.try_json() {
                Some(data) => data,
                None => return HomeAssistant::message(400, "Data should be valid JSON."),
            },
        };
        let known = SERVICES
            .iter()
            .find(|known| (known.0, known.1) == (domain, service));
        let wants_response = call.query("return_response").is_some();
        let refusal = match (known.map(|known| known.2), wants_response) {
            (None, _) => return Answer::text(400, "400: Bad Request"),
            (Some(Responds::Never), true) => {
                "Service does not support responses. Remove return_response from request."
            }
            (Some(Responds::Always), false) => {
                "Service call requires responses but caller did not ask for responses. Add \
                 ?return_response to query parameters."
            }
            _ => "",
        };
        if !refusal.is_empty() {
            return HomeAssistant::message(400, refusal);
        }
        self.called
            .push((format!("{domain}.{service}"), data.clone()));
        let mut changed = Vec::new();
        if domain == "light" {
            // A text may name several; `all` is a text of its own and nothing for a list.
            let wanted = match &data["entity_id"] {
                Value::Array(entities) if entities.iter().any(|it| it == "all") => {
                    return Answer::text(400, "400: Bad Request");
                }
                Value::Array(entities) => entities.clone(),
                Value::String(all) if all == "all" => {
                    let states = self.states.iter().map(|state| state["entity_id"].clone());
                    states
                        .filter(|id| id.as_str().is_some_and(|id| id.starts_with("light.")))
                        .collect()
                }
                one => {
                    let text = one.as_str().unwrap_or_default().split(',');
                    text.map(|entity| json!(entity.trim())).collect()
                }
            };
            for entity in wanted {
                let Some(state) = self.find(entity.as_str().unwrap_or_default()) else {
                    continue;
                };
                state["state"] = json!(service.trim_start_matches("turn_"));
                changed.push(state.clone());
            }
        }
        if !wants_response {
            return Answer::json(200, &json!(changed));
        }
        let response = json!({"weather.home": {"forecast": [
            {"condition": "rainy", "datetime": "2026-11-21T11:00:00+00:00", "temperature": 6.0, "templow": null},
        ]}});
        Answer::json(
            200,
            &json!({"changed_states": changed, "service_response": response}),
        )
    }

    fn render(&mut self, call: &Call) -> Answer {
        let data = call.try_json().unwrap_or_default();
        let Some(template) = data["template"].as_str() else {
            return Answer::text(500, "500 Internal Server Error");
        };
        // As much of the language as these tests need.
        let (mut out, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once("{{ states('") {
            let Some((entity, after)) = after.split_once("') }}") else {
                return HomeAssistant::message(
                    400,
                    "Error rendering template: TemplateSyntaxError: unexpected '}'",
                );
            };
            out += before;
            let state = self.find(entity).and_then(|state| state["state"].as_str());
            out += state.unwrap_or("unknown");
            rest = after;
        }
        Answer::text(200, &(out + rest))
    }

    fn history(&mut self, call: &Call) -> Answer {
        if !is_time(call.arg("from")) {
            return HomeAssistant::message(400, "Invalid datetime");
        }
        let Some(entities) = call.query("filter_entity_id").filter(|ids| !ids.is_empty()) else {
            return HomeAssistant::message(400, "filter_entity_id is missing");
        };
        if !entities.split(',').all(|entity| entity.contains('.')) {
            return HomeAssistant::message(400, "Invalid filter_entity_id");
        }
        if call.query("end_time").is_some_and(|time| !is_time(&time)) {
            return HomeAssistant::message(400, "Invalid end_time");
        }
        let is_minimal = call.query("minimal_response").is_some();
        let has_attributes = call.query("no_attributes").is_none();
        let periods: Vec<Value> = entities
            .split(',')
            .filter_map(|entity| self.find(entity).cloned())
            .map(|state| {
                let at = |hour: u8, value: &str, is_whole: bool| {
                    let time = format!("2026-11-20T{hour:02}:00:00+00:00");
                    let mut point = json!({"state": value, "last_changed": time});
                    if is_whole || !is_minimal {
                        point["entity_id"] = state["entity_id"].clone();
                        point["last_updated"] = json!(time);
                        point["attributes"] = match has_attributes {
                            true => state["attributes"].clone(),
                            false => json!({}),
                        };
                    }
                    point
                };
                json!([at(5, "3.9", true), at(6, "4.2", false), at(7, "4.5", true)])
            })
            .collect();
        Answer::json(200, &json!(periods))
    }

    fn logbook(&mut self, call: &Call) -> Answer {
        if !is_time(call.arg("from")) {
            return HomeAssistant::message(400, "Invalid datetime");
        }
        if call.query("end_time").is_some_and(|time| !is_time(&time)) {
            return HomeAssistant::message(400, "Invalid end_time");
        }
        let entries = [
            json!({"when": "2026-11-20T06:00:00+00:00", "entity_id": "light.study", "state": "on", "name": "Study lamp", "context_user_id": "9f1"}),
            json!({"when": "2026-11-20T06:10:00+00:00", "entity_id": "light.kitchen", "state": "off", "name": "Kitchen ceiling"}),
        ];
        let wanted = call.query("entity");
        let entries: Vec<_> = entries
            .into_iter()
            .filter(|entry| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| entry["entity_id"] == **wanted)
            })
            .collect();
        Answer::json(200, &json!(entries))
    }

    fn check_config(&mut self, _: &Call) -> Answer {
        Answer::json(
            200,
            &json!({"result": "invalid", "errors": "Integration not found: frontend:", "warnings": null}),
        )
    }
}

impl Service for HomeAssistant {
    const PATHS: Paths = Paths::Segments;
    const ROUTES: &'static [Route<HomeAssistant>] = &[
        // `/api` without its slash is not a route.
        ("GET", "/api/", HomeAssistant::root),
        ("GET", "/api/states", HomeAssistant::list_states),
        ("GET", "/api/states/{entity_id}", HomeAssistant::show_state),
        ("POST", "/api/states/{entity_id}", HomeAssistant::fake_state),
        ("GET", "/api/services", HomeAssistant::list_services),
        (
            "POST",
            "/api/services/{domain}/{service}",
            HomeAssistant::call_service,
        ),
        ("POST", "/api/template", HomeAssistant::render),
        ("GET", "/api/history/period/{from}", HomeAssistant::history),
        ("GET", "/api/logbook/{from}", HomeAssistant::logbook),
        (
            "POST",
            "/api/config/core/check_config",
            HomeAssistant::check_config,
        ),
    ];

    fn admit(&self, call: &Call) -> Result<(), Answer> {
        match call
            .header("authorization")
            .and_then(|it| it.strip_prefix("Bearer "))
        {
            Some(TOKEN) => Ok(()),
            _ => Err(Answer::text(401, "401: Unauthorized")),
        }
    }

    fn unknown(&self, _: &Call) -> Answer {
        Answer::text(404, "404: Not Found")
    }

    fn wrong_verb(&self, _: &Call) -> Answer {
        Answer::text(405, "405: Method Not Allowed")
    }
}

/// `YYYY-MM-DDThh:mm[:ss[.ffffff]][zone]`.
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|char| if char.is_ascii_digit() { '0' } else { char })
        .take(16)
        .collect();
    shape == "0000-00-00T00:00"
}
