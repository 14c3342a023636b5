import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { WebSocket } from "ws";
import { connect } from "../../apps/host-daemon/src/api/connect.ts";
import { groupId, listenOnSocket } from "../../apps/host-daemon/src/api/socket.ts";
import { type ApiWorld, apiWorld } from "../support/api-world.ts";

const worldOf = async (t: ExecutionContext): Promise<ApiWorld> => {
	const world = await apiWorld();
	t.teardown(world.close);
	return world;
};
const directoryOf = async (t: ExecutionContext): Promise<string> => {
	const directory = await mkdtemp(join(tmpdir(), "knib-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	return directory;
};
const codeOf = (error: unknown): string =>
	error instanceof KnibError ? error.code : String(error);

/** Still answers a well-behaved client. */
const isHealthy = async (t: ExecutionContext, { socket }: ApiWorld): Promise<void> => {
	const client = await connect({ socket });
	t.like(await client.api.vm.list.query(), [{ name: "web01" }]);
	await client.close();
};

/** A socket that speaks WebSocket; what it is told until it is closed. */
const talk = async (socket: string, frames: readonly (string | Buffer)[]): Promise<string[]> => {
	const ws = new WebSocket("ws://knib/", { createConnection: () => connectSocket(socket) });
	const answers: string[] = [];
	await new Promise<void>((resolve, reject) => {
		ws.once("error", reject);
		ws.once("open", () => {
			for (const frame of frames) ws.send(frame);
			ws.on("message", (data) => {
				answers.push(String(data));
				if (answers.length === frames.length) ws.close();
			});
		});
		ws.once("close", () => resolve());
	});
	return answers;
};

test("control socket › bytes that are no HTTP do not harm the daemon", async (t) => {
	const world = await worldOf(t);
	for (const bytes of [
		"\u0000\u00ff garbage\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"x".repeat(200_000),
	]) {
		const socket = connectSocket(world.socket);
		socket.on("error", () => undefined);
		socket.end(bytes);
		await text(socket).catch(() => "");
	}
	await isHealthy(t, world);
});

test("control socket › frames that are no requests are answered as errors, and the connection lives on", async (t) => {
	const world = await worldOf(t);
	const frames = [
		"hello",
		"null",
		"[]x",
		"{}",
		'{"id":1,"method":"query","params":{"path":"vm.nothing"}}',
		'{"id":2,"method":"dance","params":{}}',
		'{"id":{},"method":"query"}',
		'{"id":3,"method":"query","params":{"path":"__proto__.toString"}}',
		Buffer.from([0xff, 0xfe, 0x00]),
	];
	const answers = await talk(world.socket, frames);
	t.is(answers.length, frames.length);
	for (const answer of answers) t.regex(answer, /"error"/);
	t.notRegex(answers.join(), /at .*\.ts:/, "no stack leaves the daemon");
	await isHealthy(t, world);
});

test("control socket › a frame that is too large ends its connection only", async (t) => {
	const world = await worldOf(t);
	t.deepEqual(await talk(world.socket, ["x".repeat(100_000), "{}"]), []);
	await isHealthy(t, world);
});

test("control socket › a client that vanishes in mid-subscription leaves the daemon as it was", async (t) => {
	const world = await worldOf(t);
	const job = await world.jobs.service.start({ type: "FinishChain", vm: "web01" }, "t");
	const ws = new WebSocket("ws://knib/", { createConnection: () => connectSocket(world.socket) });
	const params = { path: "job.watch", input: { job: job.id } };
	await new Promise<void>((resolve) => {
		ws.once("open", () => ws.send(JSON.stringify({ id: 1, method: "subscription", params })));
		ws.once("message", () => {
			ws.terminate();
			resolve();
		});
	});
	await isHealthy(t, world);
});

test("control socket › errors come back with code, message, hint and details", async (t) => {
	const world = await worldOf(t);
	const client = await connect({ socket: world.socket });
	t.teardown(() => client.close());
	const missing = await t.throwsAsync(() => client.api.vm.show.query({ vm: "db01" }), {
		instanceOf: KnibError,
	});
	t.is(missing?.code, "VM_NOT_FOUND");
	t.is(missing?.message, "this host has no VM db01");
	t.is(missing?.details["hint"], "see `knib vm list`");
	const usage = await t.throwsAsync(() => client.api.vm.show.query({ vm: "" }), {
		instanceOf: KnibError,
	});
	t.is(usage?.code, "USAGE");
	t.regex(usage?.message ?? "", /^vm: /);
});

test("control socket › a change with dryRun answers the plan and changes nothing", async (t) => {
	const world = await worldOf(t);
	const client = await connect({ socket: world.socket });
	t.teardown(() => client.close());
	const outcome = await client.api.offering.create.mutate({ name: "gold", dryRun: true });
	t.like(outcome, { done: false, plan: { reason: "creates the offering gold" } });
	t.is((await client.api.offering.list.query({})).length, 1);
	t.like(await client.api.offering.create.mutate({ name: "gold" }), {
		done: true,
		result: { name: "gold" },
	});
});

test("control socket › the user that a client states goes with its jobs", async (t) => {
	const world = await worldOf(t);
	const client = await connect({ socket: world.socket });
	t.teardown(() => client.close());
	await client.api.job.start.mutate({ type: "Backup", vm: "web01" });
	t.not(world.jobs.users[0], "unknown");
});

test("control socket › unassigning finishes the chain by a job", async (t) => {
	const world = await worldOf(t);
	const { books } = world;
	const client = await connect({ socket: world.socket });
	t.teardown(() => client.close());
	await client.api.offering.create.mutate({ name: "gold" });
	await client.api.vm.assign.mutate({ vm: "web01", offering: "gold" });
	const dry = await client.api.vm.unassign.mutate({ vm: "web01", dryRun: true });
	t.false(dry.done);
	t.is(
		(await books.vms.offeringOf((await client.api.vm.show.query({ vm: "web01" })).uuid)).name,
		"gold",
	);
	const outcome = await client.api.vm.unassign.mutate({ vm: "web01" });
	t.like(outcome, { done: true, result: { name: "web01", job: null } });
	t.deepEqual(world.jobs.requests, [], "there was no open chain");
});

test("connect › without a daemon it fails at once", async (t) => {
	const directory = await directoryOf(t);
	const absent = await t.throwsAsync(connect({ socket: join(directory, "s") }));
	t.is(codeOf(absent), "DAEMON_UNREACHABLE");
});

test("connect › a daemon that goes away fails what is under way, subscriptions too", async (t) => {
	const world = await apiWorld({ fateOf: () => ({ kind: "goes on" }) });
	const client = await connect({ socket: world.socket });
	const job = await client.api.job.start.mutate({ type: "Backup", vm: "web01" });
	const watching = async (): Promise<void> => {
		for await (const event of client.watchJob(job.id))
			if (event.type === "log") await world.close();
	};
	t.is(codeOf(await t.throwsAsync(watching)), "DAEMON_UNREACHABLE");
	t.is(codeOf(await t.throwsAsync(() => client.api.vm.list.query())), "DAEMON_UNREACHABLE");
	await client.close();
});

test("listenOnSocket › the socket is closed to others, and appears with its mode", async (t) => {
	const world = await worldOf(t);
	const { mode } = await stat(world.socket);
	t.is(mode & 0o777, (await groupId("knib")) === undefined ? 0o600 : 0o660);
});

test("listenOnSocket › the socket of a dead daemon is replaced, a live one is refused", async (t) => {
	const directory = await directoryOf(t);
	const path = join(directory, "s");
	const dead = createServer();
	await listenOnSocket(dead, path, undefined);
	const second = createServer();
	t.is(codeOf(await t.throwsAsync(listenOnSocket(second, path, undefined))), "EXISTS");
	await new Promise((resolve) => dead.close(resolve));
	t.true((await stat(path)).isSocket(), "a killed daemon leaves its socket behind");
	const third = createServer();
	const remove = await listenOnSocket(third, path, undefined);
	await remove();
	await t.throwsAsync(stat(path), { code: "ENOENT" });
	third.close();
});

test("listenOnSocket › what is not a socket is refused and stays", async (t) => {
	const directory = await directoryOf(t);
	const file = join(directory, "file");
	await writeFile(file, "precious");
	const link = join(directory, "link");
	await symlink(file, link);
	for (const path of [file, link]) {
		const error = await t.throwsAsync(listenOnSocket(createServer(), path, undefined));
		t.is(codeOf(error), "CONFIG_INVALID");
		t.true((await stat(file)).isFile());
	}
});

test("listenOnSocket › a directory that cannot be used is said in words", async (t) => {
	const directory = await directoryOf(t);
	await writeFile(join(directory, "file"), "");
	await chmod(directory, 0o700);
	const path = join(directory, "file", "s");
	t.is(
		codeOf(await t.throwsAsync(listenOnSocket(createServer(), path, undefined))),
		"CONFIG_INVALID",
	);
});
