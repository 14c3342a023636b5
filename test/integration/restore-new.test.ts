import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { restoreResult } from "@knib/core";
import test from "ava";
import { JOB } from "../support/begun-restore.ts";
import { qemuIo } from "../support/restore-repository.ts";
import { closeWorlds, restoreWorld } from "../support/restore-world.ts";

test.after.always(closeWorlds);

const compare = (a: string, b: string): void => {
	execFileSync("qemu-img", ["compare", "-f", "qcow2", "-F", "qcow2", a, b], { stdio: "pipe" });
};

test("restore new › writes the disks as the backup has them, defines and starts the VM, and lets go of the chain", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const before = execFileSync("find", [
		world.repository.path,
		"-type",
		"f",
		"-printf",
		"%p %s %T@ %C@ %u %m\n",
	]);
	const plan = await world.plan({ start: true });
	const end = await world.run(plan);
	t.is(end.how, "done");
	const nvram = `copy-${plan.uuid}_VARS.fd`;
	t.deepEqual(world.files(), [nvram, "copy-vda.qcow2", "copy-vdb.qcow2"].sort());
	for (const { target, path } of plan.disks) {
		compare(path, join(world.increment.path, `${target}.qcow2`));
		t.is(
			execFileSync("qemu-img", ["info", path], { encoding: "utf8" }).includes("backing file"),
			false,
		);
		t.is(statSync(path).mode & 0o777, 0o600);
	}
	t.is(readFileSync(join(world.storage, nvram), "utf8"), "variables");
	t.is(readFileSync(join(plan.tpm?.to ?? "", "state"), "utf8"), "state");
	t.is(world.vms.get(plan.uuid)?.state, "running");
	t.like(restoreResult(plan, end.state.outcomes), {
		vm: { uuid: plan.uuid, name: "copy" },
		agentMs: 3500,
	});
	t.truthy(end.state.outcomes.startedAt);
	t.deepEqual(await world.holds(), []);
	const after = execFileSync("find", [
		world.repository.path,
		"-type",
		"f",
		"-printf",
		"%p %s %T@ %C@ %u %m\n",
	]);
	t.is(String(after), String(before));
});

test("restore new › reports progress in bytes up to the whole", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	await world.run(await world.plan());
	t.true(world.progress.length > 3);
	t.true(world.progress.every(([done, total]) => done <= total && total > 65_536));
	t.true(world.progress.some(([done, total]) => done === total));
});

test("restore new › holds the chain while it reads", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const seen: (readonly string[])[] = [];
	await world.run(await world.plan(), {
		before: async () => {
			seen.push(await world.holds());
		},
	});
	t.deepEqual(
		seen.map((holds) => holds.length),
		[0, 1, 1, 1, 0],
	);
	t.regex(seen[1]?.[0] ?? "", /copy/);
});

test("restore new › defines no VM from a layer with a flipped byte, and names the file", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	const file = join(world.full.path, "vdb.qcow2");
	const bytes = readFileSync(file);
	bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
	writeFileSync(file, bytes);
	const end = await world.run(plan);
	t.true(
		end.how === "undone" && end.error.code === "VERIFY_FAILED" && end.error.message.includes(file),
	);
	t.deepEqual(world.files(), []);
});

test("restore new › finds boot variables that are not those that were saved", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	writeFileSync(join(world.increment.path, "nvram"), "variablez");
	const end = await world.run(plan);
	t.true(
		end.how === "undone" &&
			end.error.code === "VERIFY_FAILED" &&
			end.error.message.includes("nvram"),
	);
});

test("restore new › begins a copy again that a crash had cut short", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	const draft = `${plan.disks[0]?.path}.knib-restore-${JOB}`;
	writeFileSync(draft, "half");
	writeFileSync(`${draft}.part-00c0ffee`, "less than half");
	t.is((await world.run(plan)).how, "done");
	t.is(world.files().length, 3);
});

const STARTS = [
	["whose agent stays silent", { agentAfter: null }, /guest agent did not answer within 10 s/],
	["that libvirt does not start", { startFails: "network 'default' is not active" }, /not active/],
] as const;
for (const [title, behaviour, warning] of STARTS) {
	test(`restore new › keeps a VM ${title}, with a warning`, async (t) => {
		const world = await restoreWorld();
		t.teardown(world.close);
		Object.assign(world.behaviour, behaviour);
		const end = await world.run(await world.plan({ start: true }));
		t.is(end.how, "done");
		t.is(end.state.outcomes.agentMs, null);
		t.regex(end.state.outcomes.warnings?.join() ?? "", warning);
		t.is(world.vms.size, 1);
	});
}

test("restore new › refuses layers that lead to a file outside of the chain", async (t) => {
	const world = await restoreWorld();
	t.teardown(world.close);
	const plan = await world.plan();
	const secret = join(world.root, "secret.qcow2");
	execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", secret, "4M"]);
	qemuIo(secret, "write -P 66 0 4096");
	const layer = join(world.full.path, "vda.qcow2");
	execFileSync("qemu-img", ["rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", secret, layer]);
	const hash = world.images.hash;
	const published = world.full.manifest.generation.layers.find((one) => one.target === "vda");
	const images = {
		...world.images,
		hash: async (path: string) => ({ ...(await hash(path)), ...(path === layer ? published : {}) }),
	};
	Object.assign(world.deps, { images });
	await t.throwsAsync(() => world.step(plan, "verify-layers"), { message: /stands on .*secret/ });
});
