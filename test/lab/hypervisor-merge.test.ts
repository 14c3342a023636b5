// Merges against everything that happens beside them: starts, kills, clients that vanish, a libvirtd that goes away.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import type { HypervisorHarness } from "../contracts/hypervisor-harness.ts";
import { realHypervisorHarness } from "../contracts/hypervisor-lab-harness.ts";
import { MIB, overlayOn, rejectsWith } from "../contracts/image-harness.ts";
import { waitFor } from "./support/deadline.ts";
import { type Lab, startLab } from "./support/lab.ts";

const test = anyTest as TestFn<{ harness: HypervisorHarness }>;
type T = ExecutionContext<{ harness: HypervisorHarness }>;

const SIZE = 512 * MIB;
const DATA = { start: 0, length: 256 * MIB, value: 2 };
const CHILD = fileURLToPath(new URL("./hypervisor-commit.child.ts", import.meta.url));

let lab: Lab;

test.before(async () => {
	lab = await startLab();
});
test.after.always(() => lab?.stop());
test.beforeEach(async (t) => {
	t.context = { harness: await realHypervisorHarness(lab) };
});
test.afterEach.always((t) => t.context.harness?.close());

/** A VM on an overlay with 256 MiB in it; with `above` there is another one on top. */
const onOverlay = async (t: T, above = false) => {
	const { harness } = t.context;
	const { hypervisor, definition } = harness;
	const base = {
		path: await harness.image("base.qcow2", { format: "qcow2", size: SIZE }),
		format: "qcow2",
	};
	await harness.fill(base, { start: 0, length: MIB, value: 1 });
	await hypervisor.define(definition({ name: "one", disks: [{ target: "vda", ...base }] }));
	const uuid = (await hypervisor.vm("one"))?.uuid ?? "";
	const overlay = await overlayOn(harness, "overlay.qcow2", base);
	await hypervisor.switchToOverlays(uuid, [{ target: "vda", path: overlay.path }]);
	await harness.fill(overlay, DATA);
	if (above) {
		const upper = await overlayOn(harness, "upper.qcow2", overlay);
		await hypervisor.switchToOverlays(uuid, [{ target: "vda", path: upper.path }]);
	}
	return { uuid, base, overlay, range: { target: "vda", base: base.path, top: overlay.path } };
};

/** The VM names no merged image, starts, and has all the data. */
const isMerged = async (t: T, made: Awaited<ReturnType<typeof onOverlay>>): Promise<void> => {
	const { hypervisor, images, read } = t.context.harness;
	const vm = await hypervisor.vm(made.uuid);
	const disk = vm?.disks[0];
	const chain = await images.chain(disk?.path ?? "", "qcow2");
	t.false(chain.some((image) => image.path === made.overlay.path));
	t.is(chain.at(-1)?.path, made.base.path);
	t.is(await read(made.base, DATA.length - MIB), 2);
	if (vm?.state !== "running") await hypervisor.start(made.uuid);
	await hypervisor.destroy(made.uuid);
};

for (const above of [false, true]) {
	const what = above ? "a middle image" : "the active image";
	test(`commit › of ${what} while off lets no start in between`, async (t) => {
		const made = await onOverlay(t, above);
		const refused: string[] = [];
		let asking: Promise<void> | undefined;
		const ask = async (): Promise<void> => {
			const { exitCode, stderr } = await lab.tryVirsh("start", made.uuid);
			refused.push(exitCode === 0 ? "started" : stderr);
			asking = undefined;
		};
		const { hypervisor } = t.context.harness;
		await hypervisor.commit(made.uuid, made.range, {
			onProgress: () => {
				asking ??= ask();
			},
		});
		await asking;
		t.true(refused.length > 0);
		for (const answer of refused) t.regex(answer, /Failed to get .*lock|^started$/);
		if (!refused.includes("started")) t.is((await hypervisor.vm(made.uuid))?.state, "shut off");
		await isMerged(t, made);
	});
	for (const running of [false, true]) {
		test(`commit › of ${what} is done again after its process was killed, ${running ? "running" : "off"}`, async (t) => {
			const made = await onOverlay(t, above);
			const { hypervisor } = t.context.harness;
			if (running) await hypervisor.start(made.uuid);
			const child = spawn(
				process.execPath,
				["--conditions=source", CHILD, lab.uri, made.uuid, made.base.path, made.overlay.path],
				{ stdio: ["ignore", "pipe", "inherit"] },
			);
			await once(child.stdout, "data");
			child.kill("SIGKILL");
			await once(child, "close");
			await hypervisor.settle(made.uuid);
			await hypervisor.commit(made.uuid, made.range);
			await isMerged(t, made);
		});
	}
}

test("settle › waits for a snapshot whose client has vanished", async (t) => {
	const { harness } = t.context;
	const { hypervisor } = harness;
	const { uuid, overlay } = await onOverlay(t);
	await hypervisor.start(uuid);
	const next = await overlayOn(harness, "next.qcow2", overlay);
	const file = join(lab.dir, "late.xml");
	const disk = `<disk name='vda' snapshot='external' type='file'><source file='${next.path}'/></disk>`;
	await writeFile(file, `<domainsnapshot><disks>${disk}</disks></domainsnapshot>`);
	const pid = Number(await readFile(join(lab.runtimeDir, "qemu", "one.pid"), "utf8"));
	process.kill(pid, "SIGSTOP");
	const flags = ["--disk-only", "--no-metadata", "--atomic", "--reuse-external"];
	const argv = ["-c", lab.uri, "snapshot-create", uuid, file, ...flags];
	const client = spawn("virsh", argv, { stdio: "ignore" });
	// The call is in flight once libvirtd holds the VM's lock for it.
	await waitFor(async () => !(await lab.virsh("domcontrol", uuid)).startsWith("ok"), {
		deadlineMs: 60_000,
		what: "libvirtd to be at it",
	});
	client.kill("SIGKILL");
	let settled = false;
	const settling = hypervisor.settle(uuid).then(() => {
		settled = true;
	});
	t.is((await hypervisor.list())[0]?.state, "running");
	t.false(settled);
	process.kill(pid, "SIGCONT");
	await settling;
	t.is((await hypervisor.vm(uuid))?.disks[0]?.path, next.path);
});

test("commit › a VM that stops in the middle is gone on with", async (t) => {
	const made = await onOverlay(t);
	const { hypervisor } = t.context.harness;
	await hypervisor.start(made.uuid);
	let stopping: Promise<void> | undefined;
	await hypervisor.commit(made.uuid, made.range, {
		onProgress: () => {
			stopping ??= hypervisor.destroy(made.uuid);
		},
	});
	await stopping;
	await isMerged(t, made);
});

test("calls › say that libvirtd is not there, and work when it is back", async (t) => {
	const { uuid } = await onOverlay(t);
	const { hypervisor } = t.context.harness;
	await hypervisor.start(uuid);
	const { run } = (await hypervisor.vm(uuid)) ?? {};
	await lab.killDaemon();
	for (const call of [hypervisor.list(), hypervisor.vm(uuid), hypervisor.fileUses()]) {
		await rejectsWith(t, call, "LIBVIRT_UNREACHABLE");
	}
	await lab.startDaemon();
	t.like(await hypervisor.vm(uuid), { state: "running", run });
});
