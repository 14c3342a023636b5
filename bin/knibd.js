#!/usr/bin/env node
// The same as `knib daemon run`.
process.argv.splice(2, 0, "daemon", "run");
await import("./knib.js");
