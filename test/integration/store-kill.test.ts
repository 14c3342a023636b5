// SIGKILL in the middle of writing, again and again: what was acknowledged is there, and nothing else.
import { setTimeout } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { z } from "zod";
import { type Child, startChild } from "../support/store/child.ts";
import { type Random, randomFor } from "../support/store/random.ts";
import { temporaryDirectory } from "../support/store/temporary-directory.ts";

const KILLS = 50;

const countsSchema = z.record(z.string(), z.number());
const holdsSchema = z.object({
	holds: z.object({ jobs: countsSchema, backups: countsSchema, events: z.array(z.string()) }),
});
type Holds = z.infer<typeof holdsSchema>["holds"];

const ackSchema = z.union([
	z.strictObject({ job: z.string(), n: z.number(), ver: z.number() }),
	z.strictObject({ backups: z.number(), ver: z.number() }),
	z.strictObject({ came: z.string(), ver: z.number() }),
	z.strictObject({ went: z.string() }),
]);

/** What children have acknowledged so far. */
class Acknowledged {
	readonly #jobs = new Map<string, number>();
	readonly #went = new Set<string>();
	readonly #came = new Set<string>();
	#backups = 0;
	#highestVer = 0;
	#verBefore = 0;
	count = 0;

	/** Versions are compared with those of earlier processes, since those of one process arrive in any order. */
	newProcess(): void {
		this.#verBefore = this.#highestVer;
	}

	note(t: ExecutionContext, line: unknown): void {
		const { data: opened } = holdsSchema.safeParse(line);
		if (opened !== undefined) this.#compare(t, opened.holds);
		else this.#add(t, ackSchema.parse(line));
	}

	#add(t: ExecutionContext, ack: z.infer<typeof ackSchema>): void {
		this.count += 1;
		if ("ver" in ack) {
			t.true(ack.ver > this.#verBefore, "a version is never used twice");
			this.#highestVer = Math.max(this.#highestVer, ack.ver);
		}
		if ("job" in ack) this.#jobs.set(ack.job, ack.n);
		else if ("backups" in ack) this.#backups = ack.backups;
		else if ("came" in ack) this.#came.add(ack.came);
		else {
			this.#came.delete(ack.went);
			this.#went.add(ack.went);
		}
	}

	#compare(t: ExecutionContext, { jobs, backups, events }: Holds): void {
		for (const [id, n] of this.#jobs)
			t.true((jobs[id] ?? 0) >= n, `${id} was ${n} and is ${jobs[id]}`);
		const together = new Set(["b0", "b1", "b2"].map((id) => backups[id] ?? 0));
		t.is(together.size, 1, "documents put together are there together");
		t.true([...together].every((n) => n >= this.#backups));
		t.false(events.some((id) => this.#went.has(id)));
		// The one that came last may have gone unheard; all before it were heard to go.
		t.true([...this.#came].filter((id) => !events.includes(id)).length <= 1);
		for (const id of this.#came) if (!events.includes(id)) this.#came.delete(id);
	}
}

/** Kills a child after some lines, the first of which says what the store holds; after none, at any moment of its opening. */
const killAfter = async (
	t: ExecutionContext,
	child: Child,
	{ lines, ms }: { readonly lines: number; readonly ms: number },
	acknowledged: Acknowledged,
): Promise<void> => {
	acknowledged.newProcess();
	child.go();
	if (lines === 0) await setTimeout(ms);
	for (let n = 0; n < lines; n++) acknowledged.note(t, await child.next());
	await child.kill();
	for (let line = await child.next(); line !== undefined; line = await child.next()) {
		acknowledged.note(t, line);
	}
};

const someMoment = (random: Random) => ({
	lines: random.below(6) === 0 ? 0 : 1 + random.below(150),
	ms: random.below(100),
});

test("store › has every acknowledged write after 50 times SIGKILL", async (t) => {
	t.timeout(300_000);
	const random = randomFor(t);
	const dir = await temporaryDirectory(t);
	const start = () => startChild(t, "writing-child.ts", { args: [dir] });
	const acknowledged = new Acknowledged();
	let next = start();
	for (let kills = 0; kills < KILLS; kills++) {
		const child = next;
		next = start();
		await killAfter(t, child, someMoment(random), acknowledged);
	}
	await killAfter(t, next, { lines: 1, ms: 0 }, acknowledged);
	t.log(`${acknowledged.count} acknowledged`);
	t.true(acknowledged.count > KILLS * 10);
});
