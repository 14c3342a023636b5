// Tests run on the sources through Node's own type stripping: no loader, no build step between.
export default {
	files: ["test/{unit,contracts,integration,sync,tui}/**/*.test.ts"],
	extensions: ["ts"],
	nodeArguments: ["--conditions=source"],
	timeout: "60s",
};
