// Validations as a user asks for them, and what is to be true of the repository and the host around them.
import { createHash } from "node:crypto";
import { chmod, readdir, readFile, readlink, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { waitFor } from "./deadline.ts";
import type { Knib } from "./knib.ts";
import type { Lab } from "./lab.ts";

const stepSchema = z.looseObject({
	step: z.string(),
	ok: z.boolean(),
	skipped: z.boolean(),
	message: z.string(),
	durationMs: z.number(),
	output: z.string().nullable(),
});
export type ReportedStep = z.infer<typeof stepSchema>;

/** The parts of a validated backup's JSON that tests look at. */
export const validatedSchema = z.looseObject({
	id: z.string(),
	path: z.string(),
	validationStatus: z.string(),
	validationMessage: z.string().nullish(),
	proof: z.array(z.looseObject({ level: z.string() })),
	validation: z.array(stepSchema),
});
export type Validated = z.infer<typeof validatedSchema>;

/** Makes the daemon's own directory passable, as `/var/lib/knib` is: qemu's user must get to scratch files and layers. */
export const openHome = (knib: Knib): Promise<void> => chmod(dirname(knib.stateDir), 0o755);

/** The scratch directory of a daemon of the harness. */
export const scratchOf = (knib: Knib): string => join(dirname(knib.stateDir), "scratch");

export const showBackup = async (knib: Knib, id: string): Promise<Validated> =>
	validatedSchema.parse(await knib.ok("backup", "show", id));

/** Runs a validation; its exit code, and the backup as it is shown then. */
export const validate = async (
	knib: Knib,
	id: string,
	...flags: readonly string[]
): Promise<{ readonly code: number; readonly stderr: string; readonly backup: Validated }> => {
	const { code, stderr } = await knib.cli("backup", "validate", id, ...flags);
	return { code, stderr, backup: await showBackup(knib, id) };
};

/** The report of one step. */
export const stepOf = (backup: Validated, step: string): ReportedStep => {
	const found = backup.validation.find((one) => one.step === step);
	if (found === undefined) throw new Error(`no step ${step} in ${JSON.stringify(backup)}`);
	return found;
};

/** Names of the throw-away VMs that libvirt knows. */
export const throwAwayVms = async (lab: Lab): Promise<readonly string[]> =>
	(await lab.virsh("list", "--all", "--name"))
		.split("\n")
		.filter((name) => name.startsWith("knib-validate-"));

/** Waits for a validation's VM to be there; its name. */
export const awaitThrowAwayVm = (lab: Lab): Promise<string> =>
	waitFor(async () => (await throwAwayVms(lab))[0], {
		deadlineMs: 120_000,
		what: "a throw-away VM",
	});

const processesOf = async (word: string): Promise<readonly string[]> => {
	const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
	const lines = await Promise.all(
		pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
	);
	return lines.filter((line) => line.includes(word) && line.includes("qemu"));
};

/** Files that qemu processes have open whose command line names the text. */
export const openFiles = async (word: string): Promise<readonly string[]> => {
	const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
	const found: string[] = [];
	for (const pid of pids) {
		const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
		if (!line.includes(word) || !line.includes("qemu-system")) continue;
		const fds = await readdir(`/proc/${pid}/fd`).catch((): string[] => []);
		for (const fd of fds) found.push(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ""));
	}
	return found;
};

/** What validations have left: VMs, scratch files, qemu processes. */
export const leftovers = async (lab: Lab, knib: Knib): Promise<readonly string[]> => [
	...(await throwAwayVms(lab)),
	...(await readdir(scratchOf(knib))),
	...(await processesOf(`${scratchOf(knib)}/knib-validate-`)),
];

const filesBelow = async (directory: string): Promise<readonly string[]> => {
	const entries = await readdir(directory, { withFileTypes: true, recursive: true });
	return entries
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.filter((path) => !/\/(?:validation|holds)\/|\/proofs\.json$/.test(path))
		.sort();
};

/** Owner, mode, times and digest of every file of published backups, but for the marks that validations write. */
export const fingerprint = async (knib: Knib): Promise<readonly string[]> => {
	const paths = await filesBelow(join(knib.repository, "vms"));
	return Promise.all(
		paths.map(async (path) => {
			const facts = await stat(path, { bigint: true });
			const digest = createHash("sha256")
				.update(await readFile(path))
				.digest("hex");
			const { uid, gid, mode, mtimeNs, ctimeNs, size } = facts;
			return [path, uid, gid, mode.toString(8), mtimeNs, ctimeNs, size, digest].join(" ");
		}),
	);
};
