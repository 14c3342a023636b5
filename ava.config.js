// Tests run on the sources through Node's own type stripping: no loader, no build step between.
export default {
	files: ["test/{unit,contracts,integration,sync,tui}/**/*.test.ts"],
	extensions: ["ts"],
	nodeArguments: ["--conditions=source"],
	// Processes of their own: V8 may abort when threads that strip types by WebAssembly start and end beside each other ("jit_page.has_value()").
	workerThreads: false,
	timeout: "60s",
};
