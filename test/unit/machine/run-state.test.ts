import {
	canChange,
	changeJob,
	isRefusal,
	isTerminal,
	type Job,
	type JobChange,
	type JournalEntry,
	jobSchema,
	leftoverOf,
	planBackup,
	type RunState,
	recoverRun,
	reduceRun,
	warningsOf,
} from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { backupId, someFacts, VM_UUID } from "../../support/builders/facts.ts";

const AT = "2026-01-02T03:04:05.000Z";
const aJob = (): Job =>
	jobSchema.parse({
		id: backupId(1),
		type: "Backup",
		host: "h",
		vm: { uuid: VM_UUID, name: "web01" },
		backup: backupId(2),
		state: "waiting",
		reason: null,
		phase: null,
		attempts: 0,
		createdAt: AT,
		scheduledAt: null,
		startedAt: null,
		endedAt: null,
		request: {},
		result: null,
		error: null,
		warnings: [],
	});

const begun = (): RunState => {
	const plan = planBackup(someFacts());
	if (isRefusal(plan)) throw new Error(plan.message);
	return reduceRun(null, { type: "plan", job: aJob(), plan });
};

const after = (entries: readonly JournalEntry[]): RunState =>
	entries.reduce<RunState>((state, entry) => reduceRun(state, entry), begun());

const through = (last: number, done: boolean): JournalEntry[] =>
	Array.from({ length: last + 1 }, (_, step): JournalEntry[] => [
		{ type: "begin", step },
		...(step < last || done ? [{ type: "done", step, outcome: {} } as const] : []),
	]).flat();

test("recoverRun › goes back before the publication is begun, and forward from then on", (t) => {
	const { steps } = begun().plan;
	const publish = steps.findIndex((step) => step.kind === "publish");
	for (const [index] of steps.entries()) {
		for (const done of [false, true]) {
			t.is(recoverRun(after(through(index, done))), index < publish ? "back" : "forward");
		}
	}
});

test("recoverRun › goes on going back", (t) => {
	const error = { code: "CANCELLED", message: "m", hint: "h" };
	t.is(
		recoverRun(
			after([
				{ type: "begin", step: 0 },
				{ type: "undoing", error },
			]),
		),
		"back",
	);
});

test("reduceRun › refuses a second plan and a missing one", (t) => {
	const { job, plan } = begun();
	t.throws(() => reduceRun(begun(), { type: "plan", job, plan }), { message: /two plans/ });
	t.throws(() => reduceRun(null, { type: "begin", step: 0 }), { message: /does not begin/ });
});

test("leftoverOf › names what a merge step kept, and everything when the step failed as a whole", (t) => {
	const kept = { target: "vda", reason: "used elsewhere" };
	const merge = {
		target: "vdb",
		base: { path: "/b", format: "raw" },
		top: "/o",
		overlays: ["/o"],
		recorded: null,
	} as const;
	const state = after([{ type: "done", step: 0, outcome: { leftover: [kept] } }]);
	const steps = [...state.plan.steps, { kind: "merge-overlays", merges: [merge] } as const];
	const index = steps.length - 1;
	const planned = { ...state, plan: { ...state.plan, steps } };
	t.deepEqual(leftoverOf(planned), [kept]);
	const failure = { code: "COMMAND_FAILED", message: "no answer", hint: "h" } as const;
	const failed = reduceRun(planned, { type: "failed", step: index, error: failure });
	t.deepEqual(leftoverOf(failed), [kept, { target: "vdb", reason: "no answer" }]);
	t.true(warningsOf(failed).includes("merge-overlays failed: no answer"));
	const repeated = reduceRun(failed, { type: "done", step: index, outcome: {} });
	t.deepEqual(leftoverOf(repeated), [kept], "a later success clears the failure");
	t.false(warningsOf(repeated).some((text) => text.includes("failed")));
});

const error = { code: "INTERNAL", message: "m", hint: "h", details: {} } as const;
const change = fc.constantFrom(
	{ type: "waits", reason: "r", until: null } as const,
	{ type: "starts", at: AT } as const,
	{ type: "phase", phase: { name: "p", index: 1, count: 2 } } as const,
	{ type: "warns", text: "w" } as const,
	{ type: "succeeds", at: AT, result: {} } as const,
	{ type: "fails", at: AT, error } as const,
	{ type: "cancelled", at: AT, error } as const,
);

const ends = (job: Job, one: JobChange): Job | "refused" => {
	try {
		return changeJob(job, one);
	} catch {
		return "refused";
	}
};

test("changeJob › never leaves a terminal state, whatever happens", (t) => {
	fc.assert(
		fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
			let job = aJob();
			for (const one of changes) {
				const next = ends(job, one);
				if ((next === "refused") === canChange(job.state, one.type)) return false;
				if (next === "refused") continue;
				if (isTerminal(job.state)) return false;
				job = next;
			}
			return true;
		}),
	);
	t.pass();
});
