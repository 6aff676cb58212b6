//! The configuration's JSON Schema, for editors and for checking files on the host.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use schemars::JsonSchema;

/// Boot-time configuration of a rumpbake image. Every key is optional.
#[derive(JsonSchema)]
#[schemars(rename = "rumpbake configuration", deny_unknown_fields)]
#[expect(dead_code, reason = "describes the file; the reader is keys.rs")]
struct File {
    /// The program's arguments from argv[1] on.
    args: Option<Args>,
    /// What the program sees as argv[0].
    argv0: Option<String>,
    /// The directory in which the program starts.
    #[schemars(regex(pattern = "^/"))]
    cwd: Option<String>,
    /// Environment variables.
    env: Option<BTreeMap<String, String>>,
    /// What gethostname(3) returns.
    #[schemars(length(min = 1, max = 255))]
    hostname: Option<String>,
    /// Interfaces and their addresses. An interface that is not named takes its address by DHCP and from routers.
    net: Option<Net>,
    /// What descriptors 0 to 2 are.
    stdio: Option<Stdio>,
    /// Which system calls are traced on the console.
    trace: Option<Trace>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "describes the file; the reader is net.rs")]
struct Net {
    /// What is said of interfaces.
    interfaces: Option<Vec<Interface>>,
    /// The program does not start before an interface has an address, and not at all if none gets one.
    required: Option<bool>,
    /// The address of the server from which the time is taken at boot.
    sntp: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
#[expect(dead_code, reason = "describes the file; the reader is net.rs")]
struct Interface {
    /// Its name: vioif0, wm0.
    #[schemars(regex(pattern = "^[A-Za-z0-9]{1,15}$"))]
    name: String,
    /// Whether it asks for an IPv4 address by DHCP; by default where no IPv4 address is given.
    dhcp: Option<bool>,
    /// Its addresses, each with the length of its prefix: 10.0.0.2/24.
    address: Option<OneOrMore>,
    /// Routers, one of each family.
    gateway: Option<OneOrMore>,
    /// The largest packet in bytes.
    #[schemars(range(min = 576, max = 65535))]
    mtu: Option<u32>,
    /// Name servers' addresses.
    dns: Option<OneOrMore>,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "describes the file; the reader is net.rs")]
enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "describes the file; the reader is keys.rs")]
enum Stdio {
    /// A terminal on the console.
    Terminal,
    /// A stream of bytes over the console.
    Pipe,
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "describes the file; the reader is keys.rs")]
enum Args {
    /// One by one.
    Words(Vec<String>),
    /// One string, split as a shell would.
    Line(String),
}

#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "describes the file; the reader is keys.rs")]
enum Trace {
    /// All of them, or none.
    All(bool),
    /// Those with these names, as in sys/syscall.h without SYS_.
    Calls(Vec<String>),
}

/// The schema, as formatted JSON with a newline at its end.
///
/// # Errors
/// If it cannot be written as JSON, which a schema always can.
pub fn schema() -> Result<String, serde_json::Error> {
    // An absent key means "as baked in"; null is not a value that the reader takes.
    let settings = schemars::generate::SchemaSettings::draft2020_12().with_transform(NoNull);
    let mut text = serde_json::to_string_pretty(&settings.into_generator().into_root_schema_for::<File>())?;
    text.push('\n');
    Ok(text)
}

/// Takes the null that `Option` brings out of the schema.
#[derive(Clone)]
struct NoNull;

impl schemars::transform::Transform for NoNull {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        schemars::transform::transform_subschemas(self, schema);
        if let Some(serde_json::Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".into(), only);
            }
        }
        if let Some(serde_json::Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [serde_json::Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.ensure_object().entry(key).or_insert(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_has_the_keys() {
        let schema: serde_json::Value = serde_json::from_str(&super::schema().unwrap()).unwrap();
        let keys: alloc::vec::Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys.join(", "), crate::keys::NAMES);
        assert!(!super::schema().unwrap().contains("null"));
        assert_eq!(schema["additionalProperties"], false);
    }
}
