import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JobRequest, KnibError, type Schedule } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createScheduleKeeper } from "../../apps/host-daemon/src/jobs/schedule-keeper.ts";
import { aVm } from "../support/builders/facts.ts";
import { movingClock } from "../support/moving-clock.ts";

const HOUR = 3_600_000;
const VMS = ["web01", "web02", "db01"].map((name) => ({
	uuid: name,
	name,
	state: "running" as const,
}));

const nightly = (override: Partial<Schedule> = {}): Schedule => ({
	id: "0196f000-0000-7000-8000-00000000cafe",
	name: "nightly",
	cron: "30 4 * * *",
	timezone: "UTC",
	vm: "web*",
	isolated: false,
	jitterMs: 0,
	createdAt: "2026-01-01T00:00:00.000Z",
	changedAt: "2026-01-01T00:00:00.000Z",
	...override,
});

const worldOf = (t: ExecutionContext, schedules: readonly Schedule[]) => {
	const stateDir = mkdtempSync(join(tmpdir(), "knib-schedule-"));
	t.teardown(() => rmSync(stateDir, { recursive: true }));
	const clock = movingClock();
	const asked: JobRequest[] = [];
	const alerts: [string, string | null][] = [];
	const seen = { refuses: "", waits: "", unreadable: "", libvirtIsDown: false };
	/** A daemon that starts anew: what it knows is in the state directory. */
	const make = () =>
		createScheduleKeeper({
			schedules: { all: async () => schedules },
			hypervisor: {
				list: async () => {
					if (seen.libvirtIsDown) throw new KnibError("LIBVIRT_UNREACHABLE", "down");
					return VMS;
				},
				vm: async (uuid) => {
					if (uuid === seen.unreadable) throw new KnibError("COMMAND_FAILED", "no XML");
					return aVm({ uuid, tags: uuid.endsWith("02") ? ["prod"] : [] });
				},
			},
			jobs: {
				list: async ({ vm }) => (vm === seen.waits ? [{ state: "waiting" } as never] : []),
				start: async (request) => {
					if ("vm" in request && request.vm === seen.refuses)
						throw new KnibError("VM_STATE", "it is transient");
					asked.push(request);
					return {} as never;
				},
			},
			host: { id: "here" },
			clock,
			stateDir,
			alert: async ({ name }, text) => {
				alerts.push([name, text]);
			},
			onProblem: (problem) => {
				throw problem;
			},
		});
	const vms = (): readonly string[] => asked.flatMap((one) => ("vm" in one ? [one.vm ?? ""] : []));
	return { make, clock, asked, alerts, seen, vms };
};

test("scheduleKeeper › backs up the VMs that fit, once a run, with the schedule's label", async (t) => {
	const world = worldOf(t, [nightly()]);
	const keeper = world.make();
	await keeper.look();
	t.deepEqual(world.vms(), ["web01", "web02"], "yesterday's run was missed");
	await keeper.look();
	t.is(world.asked.length, 2);
	world.clock.advance(2 * HOUR);
	await keeper.look();
	t.is(world.asked.length, 4);
	t.like(world.asked[0], { type: "Backup", isolated: false, labels: ["schedule:nightly"] });
});

test("scheduleKeeper › catches up once, however long knibd was away", async (t) => {
	const world = worldOf(t, [nightly()]);
	await world.make().look();
	world.clock.advance(5 * 24 * HOUR);
	const later = world.make();
	await later.look();
	await later.look();
	t.is(world.asked.length, 4);
});

test("scheduleKeeper › makes up for a look that failed, and asks for nothing twice", async (t) => {
	const world = worldOf(t, [nightly()]);
	world.seen.libvirtIsDown = true;
	const keeper = world.make();
	await t.throwsAsync(() => keeper.look());
	world.seen.libvirtIsDown = false;
	world.seen.waits = "web01";
	await keeper.look();
	t.deepEqual(world.vms(), ["web02"], "a backup of web01 waits already");
});

test("scheduleKeeper › raises what was refused, goes on with the others, and takes it back", async (t) => {
	const world = worldOf(t, [nightly({ isolated: true })]);
	world.seen.refuses = "web01";
	const keeper = world.make();
	await keeper.look();
	t.deepEqual(world.vms(), ["web02"]);
	t.deepEqual(world.alerts, [
		["web01", "schedule nightly: it is transient"],
		["web02", null],
	]);
	world.seen.refuses = "";
	world.clock.advance(24 * HOUR);
	await keeper.look();
	t.deepEqual(world.alerts[2], ["web01", null]);
	t.like(world.asked.at(-1), { isolated: true });
});

test("scheduleKeeper › has nothing to do for a schedule whose time has not come", async (t) => {
	const world = worldOf(t, [nightly({ changedAt: "2026-01-02T03:00:00.000Z" })]);
	await world.make().look();
	t.deepEqual(world.asked, []);
});

test("scheduleKeeper › with a tag only VMs that carry it, and one that cannot be read is told of", async (t) => {
	const world = worldOf(t, [nightly({ tag: "prod" })]);
	world.seen.unreadable = "web01";
	await world.make().look();
	t.deepEqual(world.vms(), ["web02"]);
	t.deepEqual(world.alerts, [
		["web01", "schedule nightly: no XML"],
		["web02", null],
	]);
});

test("scheduleKeeper › marks what it takes under rules of its own, by its id", async (t) => {
	const schedule = nightly({ vm: "web01", retention: { keepLast: 3 } });
	const world = worldOf(t, [schedule]);
	await world.make().look();
	t.like(world.asked[0], { labels: ["schedule:nightly", `retention:${schedule.id}`] });
});
