// Tests against real libvirt and qemu: `scripts/lab test`. One at a time, each file in its process.
// biome-ignore lint/style/noDefaultExport: AVA reads its configuration from there
export default {
	files: ["test/lab/**/*.test.ts"],
	extensions: ["ts"],
	nodeArguments: ["--conditions=source"],
	serial: true,
	concurrency: 1,
	timeout: "15m",
};
