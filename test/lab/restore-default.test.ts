// Restores under libvirt's own defaults: qemu is unprivileged and libvirt changes owners. ACCEPTANCE B23; SAFETY F11, F12. One by itself,
// then two by a plan, then one in place and a quick one by another.
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { waitFor } from "./support/deadline.ts";
import { defineGuest, type Guest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { imageChain } from "./support/oracle.ts";
import { run } from "./support/run.ts";
import { openHome } from "./support/validation.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;

test.before(async () => {
	lab = await startLab({ flavour: "default" });
	knib = await startKnib(lab);
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const resultSchema = z.looseObject({
	disks: z.array(z.looseObject({ path: z.string() })),
	agentMs: z.number().nullable(),
});

/** Owner, mode and times of everything that is published. */
const published = async (): Promise<string> => {
	const format = "%p %s %u %g %m %T@ %C@\n";
	const vms = join(knib.repository, "vms");
	return (await run(["find", vms, "-type", "f", "-printf", format])).stdout;
};

test.serial(
	"restore new › starts under an unprivileged qemu and leaves every file of the repository as it was",
	async (t) => {
		guest = await defineGuest(lab, { name: "restdef" });
		await guest.start();
		await guest.exec("echo one > /mnt/data/gen; sync");
		const backup = await takeBackup(knib, "restdef");
		const before = await published();
		const result = resultSchema.parse(
			await knib.ok("restore", "new", backup.id, "--as", "restdef2", "--start"),
		);
		t.true((result.agentMs ?? 0) > 0);
		const restored = guestOf(lab, "restdef2", guest.diskDir);
		t.is((await restored.exec("cat /mnt/data/gen")).stdout, "one\n");
		for (const { path } of result.disks) t.not((await stat(path)).uid, 0);
		t.is(await published(), before);
		await restored.remove();
	},
);

const planSchema = z.object({
	entries: z.array(
		z.looseObject({
			name: z.string(),
			state: z.string(),
			result: z.looseObject({ startedAt: z.string(), agentMs: z.number() }),
		}),
	),
});
const previewSchema = z.looseObject({
	entries: z.array(z.looseObject({ estimate: z.looseObject({ basis: z.string() }) })),
});

test.serial(
	"restore plan › two VMs of two backups, the second once the first has answered",
	async (t) => {
		const [older] = z
			.array(z.looseObject({ id: z.string() }))
			.parse(await knib.ok("backup", "list", "--vm", "restdef"));
		await guest.exec("echo two > /mnt/data/gen; sync");
		await takeBackup(knib, "restdef");
		const write = async (name: string, quick: boolean): Promise<string> => {
			const file = join(lab.dir, name);
			const entries = [
				`mode = "new"\nas = "shop"\nvm = "restdef"\nafter = ["db"]\nstart = true\nquick = ${quick}`,
				`mode = "new"\nas = "db"\nbackup = "${older?.id}"\nstart = true\nwaitForAgent = true`,
			];
			await writeFile(file, entries.map((entry) => `[[restore]]\n${entry}\n`).join(""));
			return file;
		};
		const domains = await lab.virsh("list", "--all", "--name");
		const refused = await knib.cli("restore", "plan", await write("quick.toml", true));
		t.is(refused.code, 6);
		t.regex(refused.stderr, /shop: .*does not allow quick restores/);
		const file = await write("plan.toml", false);
		const preview = previewSchema.parse(await knib.ok("restore", "plan", file, "--dry-run"));
		for (const { estimate } of preview.entries)
			t.regex(estimate.basis, /the rate of its last restore/);
		t.is(await lab.virsh("list", "--all", "--name"), domains);
		const { entries } = planSchema.parse(await knib.ok("restore", "plan", file));
		t.deepEqual(
			entries.map(({ name, state }) => `${name} ${state}`),
			["db done", "shop done"],
		);
		const [first, second] = entries.map(({ result }) => Date.parse(result.startedAt));
		t.true((first ?? 0) + (entries[0]?.result.agentMs ?? 0) <= (second ?? 0));
		for (const [name, generation] of [
			["db", "one\n"],
			["shop", "two\n"],
		] as const) {
			const restored = guestOf(lab, name, guest.diskDir);
			t.is((await restored.exec("cat /mnt/data/gen")).stdout, generation);
			await restored.remove();
		}
	},
);

test.serial(
	"restore plan › one over the disks of its VM, then a quick one that is pulled in while both run",
	async (t) => {
		await openHome(knib);
		await knib.ok("offering", "create", "fast", "--allow-quick-restore");
		await knib.ok("vm", "assign", "restdef", "fast");
		await guest.exec("echo three > /mnt/data/gen; sync");
		const { id } = await takeBackup(knib, "restdef");
		await guest.exec("echo four > /mnt/data/gen; sync");
		const file = join(lab.dir, "mixed.json");
		const restore = [
			{ mode: "new", as: "swift", backup: id, quick: true, waitForAgent: true, after: ["restdef"] },
			{ mode: "in-place", vm: "restdef", shutdown: true, start: true, waitForAgent: true },
		];
		await writeFile(file, JSON.stringify({ parallel: 2, restore }));
		const before = await lab.virsh("dumpxml", "restdef");
		const { entries: foreseen } = previewSchema.parse(
			await knib.ok("restore", "plan", file, "--dry-run"),
		);
		t.is(foreseen.length, 2);
		t.is(await lab.virsh("dumpxml", "restdef"), before);
		const { entries } = planSchema.parse(await knib.ok("restore", "plan", file));
		t.deepEqual(
			entries.map(({ name, state }) => `${name} ${state}`),
			["restdef done", "swift done"],
		);
		const swift = guestOf(lab, "swift", guest.diskDir);
		for (const vm of [guest, swift]) {
			t.is((await vm.exec("cat /mnt/data/gen")).stdout, "three\n");
		}
		for (const { path, format } of await swift.disks()) {
			await waitFor(async () => (await imageChain(path, format)).length === 1, {
				deadlineMs: 120_000,
				what: `${path} to be pulled in`,
			});
		}
		await swift.remove();
		await guest.shutdown();
		await knib.ok("restore", "undo", "restdef");
		await guest.start();
		t.is((await guest.exec("cat /mnt/data/gen")).stdout, "four\n");
	},
);
