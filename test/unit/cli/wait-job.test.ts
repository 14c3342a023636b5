import { EventEmitter } from "node:events";
import { type JobEvent, type JobView, KnibError } from "@knib/core";
import test from "ava";
import { isRetriedLater, waitForJob } from "../../../apps/cli/src/wait-job.ts";

type Client = Parameters<typeof waitForJob>[0]["client"];

const job = (state: JobView["state"]): JobView => ({
	id: "j",
	type: "Backup",
	host: "here",
	vm: null,
	backup: null,
	state,
	reason: null,
	phase: null,
	attempts: 1,
	createdAt: "",
	scheduledAt: null,
	startedAt: null,
	endedAt: null,
	result: null,
	error: null,
	warnings: [],
	progress: null,
});

/** A client whose job ends when it is cancelled, and a process that can be interrupted. */
const world = (cancel: () => Promise<void> = async () => undefined) => {
	let end: () => void = () => undefined;
	let cancels = 0;
	const ended = new Promise<void>((resolve) => {
		end = resolve;
	});
	const client = {
		api: {
			job: {
				cancel: {
					mutate: async () => {
						cancels += 1;
						await cancel();
						end();
					},
				},
			},
		},
		watchJob: async function* (): AsyncIterable<JobEvent> {
			yield { type: "job", job: job("executing") };
			await ended;
			yield { type: "end", job: job("cancelled") };
		},
	};
	const exits: number[] = [];
	const process = Object.assign(new EventEmitter(), {
		exit: (code: number): never => {
			exits.push(code);
			throw new Error("left");
		},
	});
	return { client: client as unknown as Client, process, exits, cancels: () => cancels };
};

test("waitForJob › an interrupt cancels once, waits for the end, and listens no more afterwards", async (t) => {
	const { client, process, cancels } = world();
	const events: string[] = [];
	const waiting = waitForJob({
		client,
		start: async () => "j",
		onEvent: ({ type }) => {
			events.push(type);
			if (type === "job") process.emit("SIGTERM");
		},
		onInterrupt: () => events.push("interrupted"),
		interrupts: process,
	});
	t.is((await waiting).state, "cancelled");
	t.deepEqual(events, ["job", "interrupted", "end"]);
	t.is(cancels(), 1);
	t.is(process.listenerCount("SIGINT") + process.listenerCount("SIGTERM"), 0);
});

test("waitForJob › an interrupt while the job is being started cancels it once it is known", async (t) => {
	const { client, process, cancels } = world();
	const interrupted: unknown[] = [];
	const ended = await waitForJob({
		client,
		start: async () => {
			process.emit("SIGINT");
			t.is(cancels(), 0);
			return "j";
		},
		onEvent: () => undefined,
		onInterrupt: (job) => interrupted.push(job),
		interrupts: process,
	});
	t.is(ended.state, "cancelled");
	t.deepEqual(interrupted, [null]);
	t.is(cancels(), 1);
});

test("waitForJob › a second interrupt leaves at once", async (t) => {
	const { client, process, exits } = world(() => new Promise(() => undefined));
	const waiting = waitForJob({
		client,
		start: async () => "j",
		onEvent: ({ type }) => {
			if (type !== "job") return;
			process.emit("SIGINT");
			t.throws(() => process.emit("SIGINT"), { message: "left" });
		},
		onInterrupt: () => undefined,
		interrupts: process,
	});
	await Promise.race([waiting, Promise.resolve()]);
	await new Promise(setImmediate);
	t.deepEqual(exits, [130]);
});

test("waitForJob › events that stop before the end are a defect, or the reason why cancelling failed", async (t) => {
	const { client, process } = world();
	const broken = { ...client, watchJob: async function* (): AsyncIterable<JobEvent> {} };
	const nothing = () => undefined;
	const options = {
		client: broken,
		start: async () => "j",
		onEvent: nothing,
		onInterrupt: nothing,
		interrupts: process,
	};
	const error = await t.throwsAsync(waitForJob(options), { instanceOf: KnibError });
	t.is(error?.code, "INTERNAL");
});

test("isRetriedLater › is a failed attempt whose next one is more than a minute off", (t) => {
	const now = Date.parse("2026-01-01T00:00:00Z");
	const error = { code: "NO_SPACE", message: "full", hint: "free some" };
	const waiting = { ...job("waiting"), error, scheduledAt: "2026-01-01T01:00:00Z" };
	t.true(isRetriedLater(waiting, now));
	t.false(isRetriedLater({ ...waiting, scheduledAt: "2026-01-01T00:00:30Z" }, now));
	t.false(isRetriedLater({ ...waiting, scheduledAt: null }, now));
	t.false(isRetriedLater({ ...waiting, error: null }, now));
	t.false(isRetriedLater({ ...waiting, state: "executing" }, now));
});

test("waitForJob › resolves with a job that is watched no longer, without cancelling it", async (t) => {
	const { client, process, cancels } = world();
	const ended = await waitForJob({
		client,
		start: async () => "j",
		onEvent: () => undefined,
		onInterrupt: () => undefined,
		interrupts: process,
		isEnough: ({ state }) => state === "executing",
	});
	t.is(ended.state, "executing");
	t.is(cancels(), 0);
});
