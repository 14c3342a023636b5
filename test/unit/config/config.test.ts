import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { loadConfig } from "../../../apps/host-daemon/src/config.ts";

const fileWith = async (t: ExecutionContext, text: string): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-"));
	t.teardown(() => rm(directory, { recursive: true }));
	const file = join(directory, "knib.toml");
	await writeFile(file, text);
	return file;
};

test("loadConfig › flag before environment before file before default", async (t) => {
	const config = await fileWith(
		t,
		'stateDir = "/file/state"\nsocket = "/file/s"\nlibvirtUri = "test:///file"\n[limits]\nmessage = 2048\n',
	);
	const env = { KNIB_SOCKET: "/env/s", KNIB_LIBVIRT_URI: "test:///env", KNIB_LIMITS_CLIENTS: "7" };
	const found = await loadConfig({ flags: { config, libvirtUri: "test:///flag" }, env });
	t.like(found, {
		stateDir: "/file/state",
		scratch: "/file/state/scratch",
		socket: "/env/s",
		libvirtUri: "test:///flag",
		logLevel: "info",
		limits: { message: 2048, clients: 7 },
		fileExists: true,
	});
	t.is((await loadConfig({ env: { ...env, KNIB_CONFIG: config } })).stateDir, "/file/state");
});

for (const [title, text, message] of [
	[
		"an unknown key, with the known ones",
		'sateDir = "/x"',
		/unknown key sateDir: the keys are listen, advertise, name, stateDir, socket/,
	],
	["an unknown limit", "[limits]\nspeed = 1", /unknown key limits\.speed: .*limits\.clients/],
	["a relative path", 'stateDir = "state"', /stateDir: an absolute path/],
	["a socket longer than the kernel takes", `socket = "/${"x".repeat(120)}"`, /at most 107 bytes/],
	["a wrong type", "socket = 5", /socket: /],
	["an unknown log level", 'logLevel = "loud"', /logLevel: /],
	["what is no TOML", "stateDir = ", /knib\.toml: /],
	["a listen without a port", 'listen = "0.0.0.0"', /HOST:PORT/],
] as const) {
	test(`loadConfig › refuses ${title}`, async (t) => {
		const config = await fileWith(t, text);
		const error = await t.throwsAsync(() => loadConfig({ flags: { config }, env: {} }), {
			instanceOf: KnibError,
		});
		t.is(error?.code, "CONFIG_INVALID");
		t.regex(error?.message ?? "", message);
	});
}

test("loadConfig › a file that was named must be there; the usual one may be missing", async (t) => {
	const flags = { config: "/nonexistent/knib.toml" };
	const error = await t.throwsAsync(() => loadConfig({ flags, env: {} }), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "CONFIG_INVALID");
	t.false((await loadConfig({ flags, env: {}, mayBeMissing: true })).fileExists);
});

test("loadConfig › names the variable that holds a bad value", async (t) => {
	const env = { KNIB_LIMITS_CLIENTS: "many" };
	const error = await t.throwsAsync(() => loadConfig({ env }), { instanceOf: KnibError });
	t.regex(error?.message ?? "", /KNIB_LIMITS_CLIENTS/);
});
