// Tests run on the sources through Node's own type stripping: no loader, no build step between.
import { join } from "node:path";

export default {
	files: ["test/{unit,contracts,integration,sync,tui}/**/*.test.ts"],
	extensions: ["ts"],
	nodeArguments: ["--conditions=source"],
	// Processes of their own: V8 may abort when threads that strip types by WebAssembly start and end beside each other ("jit_page.has_value()").
	workerThreads: false,
	// What one file's process has stripped and compiled, the next one finds: half of the time of a small file.
	environmentVariables: { NODE_COMPILE_CACHE: join(import.meta.dirname, ".cache/compile") },
	timeout: "5m",
};
