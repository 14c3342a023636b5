// A restore under libvirt's own defaults: qemu is unprivileged and libvirt changes owners. ACCEPTANCE B23; SAFETY F11, F12.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { z } from "zod";
import { defineGuest, guestOf } from "./support/guest.ts";
import { type Knib, startKnib, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;

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

test("restore new › starts under an unprivileged qemu and leaves every file of the repository as it was", async (t) => {
	const guest = await defineGuest(lab, { name: "restdef" });
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
});
