// A libvirt that dies after a job was taken and before it has changed anything: the job waits, and is done once libvirt is back.
import { jobRequestSchema, KnibError } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { type BackupWorld, backupWorld, TARGETS } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;

type Daemon = Awaited<ReturnType<BackupWorld["start"]>>;

const gone = new KnibError("LIBVIRT_UNREACHABLE", "virsh list failed: failed to connect");

const until = async <T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> => {
	const end = Date.now() + 60_000;
	for (;;) {
		const answer = await ask();
		if (holds(answer)) return answer;
		if (Date.now() > end) throw new Error(`not within 60 s; last ${JSON.stringify(answer)}`);
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
};

const jobOf = async (daemon: Daemon, id: string) =>
	(await daemon.jobs()).find((job) => job.id === id);

const waitsForLibvirt = (daemon: Daemon, id: string) =>
	until(
		() => jobOf(daemon, id),
		(job) => job?.state === "waiting" && job.reason === "libvirt does not answer",
	);

const ends = (daemon: Daemon, id: string) =>
	until(
		() => jobOf(daemon, id),
		(job) => typeof job?.endedAt === "string",
	);

/** Every call of these names fails until libvirt is back; gives what brings it back. */
const libvirtDies = (world: BackupWorld, names: readonly ("vm" | "list" | "versions")[]) => {
	let away = true;
	const { hypervisor } = world;
	for (const name of names) {
		const call: (...args: never[]) => Promise<unknown> = hypervisor[name];
		Object.assign(hypervisor, {
			[name]: async (...args: never[]) => {
				if (away) throw gone;
				return call(...args);
			},
		});
	}
	return () => {
		away = false;
	};
};

const assertDone = async (t: ExecutionContext, world: BackupWorld, daemon: Daemon, id: string) => {
	const job = await ends(daemon, id);
	t.like(job, { state: "succeeded", attempts: 1, warnings: [] });
	const shown = await world.books.backups.list({ all: true });
	t.deepEqual(
		shown.map(({ status }) => status),
		["BackedUp"],
		"no failed backup beside it",
	);
	for (const target of TARGETS) t.is(world.overlays(target), 1);
	t.deepEqual(world.viewOfBackup((await world.published())[0]?.path ?? ""), world.view());
	await daemon.service.stop();
};

test("libvirt › that dies between a job's plan and its first step lets the job wait, at no attempt's cost", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	world.write("vda", 1, 1);
	const lease = world.repository.lease;
	let back = (): void => undefined;
	world.repository.lease = async (...args) => {
		back = libvirtDies(world, ["vm", "list", "versions"]);
		world.repository.lease = lease;
		return await lease(...args);
	};
	const { id } = await daemon.service.start(jobRequestSchema.parse(backup), "test");
	t.like(await waitsForLibvirt(daemon, id), { attempts: 0, error: null });
	t.deepEqual(await world.published(), []);
	for (const target of TARGETS) t.is(world.overlays(target), 0);
	back();
	await assertDone(t, world, daemon, id);
});

test("libvirt › that is away when a job's turn comes lets it wait, over a restart too, and it may be cancelled", async (t) => {
	const world = await backupWorld(t);
	const first = await world.start();
	const making = world.world.control.pause("createOverlay");
	const running = first.run(backup);
	await making.reached;
	const [runs] = (await first.jobs()).filter(({ state }) => state === "executing");
	const request = jobRequestSchema.parse(backup);
	const [kept, cancelled] = [
		await first.service.start(request, "test"),
		await first.service.start(request, "test"),
	];
	const stopped = first.service.cancel(runs?.id ?? "");
	const back = libvirtDies(world, ["vm", "list", "versions"]);
	making.release();
	await stopped;
	t.is((await running)?.state, "cancelled");
	for (const { id } of [kept, cancelled]) await waitsForLibvirt(first, id);
	await first.service.cancel(cancelled.id);
	t.is((await jobOf(first, cancelled.id))?.state, "cancelled");
	await first.service.stop();
	t.is((await jobOf(first, kept.id))?.state, "waiting");
	const again = await world.start();
	await again.service.ready;
	await waitsForLibvirt(again, kept.id);
	back();
	t.like(await ends(again, kept.id), { state: "succeeded", attempts: 1 });
	await again.service.stop();
});

test("libvirt › that dies once a job has made something fails the job as before", async (t) => {
	const world = await backupWorld(t);
	const daemon = await world.start();
	world.world.control.fail("switchToOverlays", { error: gone });
	const job = await daemon.run(backup);
	t.like(job, { state: "failed", attempts: 1, error: { code: "LIBVIRT_UNREACHABLE" } });
	for (const target of TARGETS) t.is(world.overlays(target), 0);
	t.is((await daemon.run(backup))?.state, "succeeded");
	await daemon.service.stop();
});
