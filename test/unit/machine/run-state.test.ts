import {
	canChange,
	changeJob,
	isRefusal,
	isTerminal,
	type Job,
	type JobChange,
	type JournalEntry,
	jobSchema,
	planBackup,
	type RunState,
	recoverRun,
	reduceRun,
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

test("recoverRun › goes on going back, and leaves an ended run alone", (t) => {
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
	t.is(recoverRun(after([{ type: "end" }])), "nothing");
});

test("reduceRun › refuses entries after the end, a second plan and a missing one", (t) => {
	t.throws(() => after([{ type: "end" }, { type: "begin", step: 0 }]), {
		message: /after its end/,
	});
	const { job, plan } = begun();
	t.throws(() => reduceRun(begun(), { type: "plan", job, plan }), { message: /two plans/ });
	t.throws(() => reduceRun(null, { type: "end" }), { message: /does not begin/ });
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
