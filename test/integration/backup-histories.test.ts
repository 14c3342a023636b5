// Whatever happens to a VM, its host and its repository: every point that was published reads as the guest's disks did at its moment,
// no chain has a hole, knib changes nothing that the guest sees, and no more layers are left than one overlay and what is said.
import { KnibError } from "@knib/core";
import test from "ava";
import fc from "fast-check";
import { type BackupWorld, backupWorld, TARGETS, type Target } from "../support/backup-world.ts";

type Act =
	| { readonly do: "write"; readonly target: Target; readonly cluster: number }
	| { readonly do: "backup"; readonly isolated: boolean }
	| { readonly do: "dying backup"; readonly line: number }
	| { readonly do: "lost publication"; readonly when: "before" | "after" }
	| { readonly do: "failed merge" }
	| { readonly do: "merge" }
	| { readonly do: "finish" }
	| { readonly do: "power" }
	| { readonly do: "stranger"; readonly target: Target }
	| { readonly do: "snapshot"; readonly target: Target }
	| { readonly do: "restart" };

const target = fc.constantFrom(...TARGETS);
const act: fc.Arbitrary<Act> = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ do: fc.constant("write"), target, cluster: fc.nat(15) }) },
	{ weight: 4, arbitrary: fc.record({ do: fc.constant("backup"), isolated: fc.boolean() }) },
	{
		weight: 3,
		arbitrary: fc.record({
			do: fc.constant("dying backup"),
			line: fc.integer({ min: 1, max: 22 }),
		}),
	},
	fc.record({ do: fc.constant("lost publication"), when: fc.constantFrom("before", "after") }),
	fc.record({ do: fc.constant("failed merge") }),
	fc.record({ do: fc.constant("merge") }),
	fc.record({ do: fc.constant("finish") }),
	fc.record({ do: fc.constant("power") }),
	fc.record({ do: fc.constant("stranger"), target }),
	fc.record({ do: fc.constant("snapshot"), target }),
	fc.record({ do: fc.constant("restart") }),
) as fc.Arbitrary<Act>;

type Daemon = Awaited<ReturnType<BackupWorld["start"]>>;

const backup = { type: "Backup", vm: "web01" } as const;

/** One VM's life; `moments` is what the guest's disks held when each point was taken. */
class History {
	private readonly moments = new Map<string, ReturnType<BackupWorld["view"]>>();
	private value = 0;
	private readonly world: BackupWorld;
	private daemon: Daemon;

	constructor(world: BackupWorld, daemon: Daemon) {
		this.world = world;
		this.daemon = daemon;
	}

	private async die(line: number): Promise<void> {
		await this.daemon.service.stop();
		const dying = await this.world.start(line);
		const work = dying.service.recovered.then(() => dying.run(backup));
		const ended = await Promise.race([work, dying.death.then(() => undefined)]);
		if (ended !== undefined) await dying.service.stop();
		await this.wake();
	}

	private async wake(): Promise<void> {
		this.daemon = await this.world.start();
		await this.daemon.service.recovered;
	}

	private next(): number {
		this.value += 1;
		return this.value;
	}

	async carryOut(one: Act): Promise<void> {
		const { world } = this;
		switch (one.do) {
			case "write":
				return world.write(one.target, one.cluster, this.next());
			case "backup":
				await this.daemon.run({ ...backup, isolated: one.isolated });
				return;
			case "dying backup":
				return await this.die(one.line);
			case "lost publication": {
				const lost = new KnibError("REPOSITORY_UNREACHABLE", "lost");
				world.repository.failNext("publish", lost, one.when);
				await this.daemon.run(backup);
				world.repository.clearFailures();
				return;
			}
			case "failed merge":
				world.world.control.fail("commit");
				await this.daemon.run(backup);
				return;
			case "finish":
				await this.daemon.run({ type: "FinishChain", vm: "web01" });
				return;
			case "merge": {
				const request = { type: "MergeOverlays", vm: "web01" } as const;
				// Refused when there is nothing to merge.
				await this.daemon.run(request).catch(() => undefined);
				return;
			}
			case "power":
				if (world.vm().live === undefined) await world.hypervisor.start(world.uuid);
				else await world.hypervisor.destroy(world.uuid);
				return;
			case "stranger":
				if (world.vm().live === undefined) world.writeBelow(one.target, this.next());
				return;
			case "snapshot":
				return await world.snapshot(one.target, this.next());
			case "restart":
				await this.daemon.service.stop();
				return await this.wake();
		}
	}

	/** Says what is wrong; undefined when all is well. */
	async check(before: ReturnType<BackupWorld["view"]>): Promise<string | undefined> {
		const { world } = this;
		// A backup may be published long after its moment.
		for (const { backup: id } of await this.daemon.jobs()) {
			if (id !== null && !this.moments.has(id)) this.moments.set(id, before);
		}
		for (const point of await world.published()) {
			const { id } = point.manifest.identity;
			if (point.problems.length > 0) return `chain of ${id}: ${point.problems.join()}`;
			const moment = this.moments.get(id);
			const read = world.viewOfBackup(point.path);
			if (JSON.stringify(read) !== JSON.stringify(moment)) {
				return `${point.manifest.kind} ${id} reads ${JSON.stringify(read)}, not ${JSON.stringify(moment)}`;
			}
		}
		return undefined;
	}

	async end(): Promise<string | undefined> {
		await this.daemon.run({ type: "FinishChain", vm: "web01" });
		const { notes } = await this.world.books.vms.record(this.world.uuid);
		const left = TARGETS.filter((one) => this.world.overlays(one) > 0);
		await this.daemon.service.stop();
		return left.length === 0 || notes.length > 0 ? undefined : `overlays stay on ${left.join()}`;
	}
}

test("backup › every history of a VM leaves only points that read as its disks did", async (t) => {
	t.timeout(300_000);
	let points = 0;
	await fc.assert(
		fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 14 }), async (acts) => {
			const world = await backupWorld({ teardown: () => undefined });
			const history = new History(world, await world.start());
			for (const [index, one] of acts.entries()) {
				const before = world.view();
				await history.carryOut(one);
				const ours = one.do !== "write" && one.do !== "stranger";
				const after = JSON.stringify(world.view());
				if (ours && after !== JSON.stringify(before))
					throw new Error(`${index}: the guest's data changed`);
				const wrong = await history.check(before);
				if (wrong !== undefined) throw new Error(`${index} ${one.do}: ${wrong}`);
			}
			points += (await world.published()).length;
			const wrong = await history.end();
			await world.close();
			if (wrong !== undefined) throw new Error(wrong);
		}),
		{ numRuns: 100, includeErrorInReport: true },
	);
	t.true(points > 100, `${points} points were read`);
});
