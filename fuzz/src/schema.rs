//! Schemas: what parses prints and parses alike, and storage can be made ready for it.

use std::sync::Arc;

use arbitrary::Unstructured;
use serde_json::Value as Json;
use syncline_backend_memory::MemoryBackend;
use syncline_core::{Operation, Schema, run};

/// Reads the bytes as a schema in JSON; what does not begin like JSON is made into one.
pub fn check(data: &[u8]) {
    let json = match data.first() {
        Some(b'{') => serde_json::from_slice::<Json>(data).ok(),
        _ => crate::made::schema(&mut Unstructured::new(data)).ok(),
    };
    json.iter().for_each(holds);
}

fn holds(json: &Json) {
    let Ok(schema) = Schema::from_json(json) else { return };
    let printed = schema.to_json();
    let again = Schema::from_json(&printed)
        .unwrap_or_else(|error| panic!("cannot read what it printed: {error}\n{printed}"));
    assert_eq!(again, schema, "{printed}");
    assert_eq!(again.to_json(), printed);
    let versions: Vec<u32> = schema.versions().collect();
    assert!(versions.is_sorted(), "{versions:?}");
    for version in versions {
        assert!(schema.at(version).is_some());
        let difference = schema.difference(version, schema.version()).expect("both are there");
        assert!(version != schema.version() || difference.is_empty());
    }
    let backend = MemoryBackend::default();
    let prepare = Operation::Prepare(Arc::new(schema));
    let _ = pollster::block_on(run(&backend, prepare)).expect("memory is ready for any schema");
}
