// Full and incremental backups of one guest: the bare primitives by hand, knib, and virtnbdbackup, in turn, in one run.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { defineGuest, type Guest } from "../../test/lab/support/guest.ts";
import { type Knib, startKnib, takeBackup } from "../../test/lab/support/knib.ts";
import { type Lab, startLab } from "../../test/lab/support/lab.ts";
import { run } from "../../test/lab/support/run.ts";
import { type Cost, measure, startProbe, table } from "./measure.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const DATA_MIB = 1024;
const TARGETS = ["vda", "vdb"] as const;

const dropCaches = () => run(["sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches"]);

/** What knib does, by shell and without any check: overlays, one snapshot, one copy a disk, commit, the overlay removed. */
const primitives = async (
	lab: Lab,
	guest: Guest,
	directory: string,
	name: string,
	parent: string | null,
): Promise<void> => {
	const disks = await guest.disks();
	const specs: string[] = [];
	for (const disk of disks) {
		const overlay = `${disk.path.replace(/\.bench-.*$/, "")}.bench-${name}.qcow2`;
		await run([
			"qemu-img",
			"create",
			"-q",
			"-f",
			"qcow2",
			"-o",
			"extended_l2=on",
			"-F",
			disk.format,
			"-b",
			disk.path,
			overlay,
		]);
		specs.push("--diskspec", `${disk.target},file=${overlay}`);
	}
	await lab.virsh(
		"snapshot-create-as",
		guest.name,
		"bench",
		...specs,
		"--disk-only",
		"--no-metadata",
		"--atomic",
		"--reuse-external",
	);
	await Promise.all(
		disks.map((disk) => {
			const target = join(directory, `${disk.target}.${name}.qcow2`);
			const backing =
				parent === null
					? []
					: ["-B", join(directory, `${disk.target}.${parent}.qcow2`), "-F", "qcow2"];
			const fast = ["-m", "8", "-W", "-t", "none", "-T", "none"];
			return run(
				[
					"qemu-img",
					"convert",
					"-q",
					...fast,
					"-f",
					disk.format,
					"-O",
					"qcow2",
					...backing,
					disk.path,
					target,
				],
				{ timeoutMs: 600_000 },
			);
		}),
	);
	if (parent === null) return;
	for (const disk of disks) {
		const base = disk.path.replace(/\.bench-.*$/, "");
		await lab.virsh(
			"blockcommit",
			guest.name,
			disk.target,
			"--base",
			base,
			"--top",
			disk.path,
			"--wait",
		);
		await rm(disk.path);
	}
};

const endPrimitives = async (lab: Lab, guest: Guest): Promise<void> => {
	for (const target of TARGETS) {
		const disk = (await guest.disks()).find((one) => one.target === target);
		if (disk === undefined || !disk.path.includes(".bench-")) continue;
		await lab.virsh("blockcommit", guest.name, target, "--active", "--pivot", "--wait");
		await rm(disk.path);
	}
};

const virtnbdbackup = (lab: Lab, guest: Guest, output: string, level: "full" | "inc") =>
	run(["virtnbdbackup", "-U", lab.uri, "-d", guest.name, "-l", level, "-o", output], {
		timeoutMs: 600_000,
	});

const hasPeer = async (): Promise<boolean> => {
	const wanted = [
		"sh",
		"-c",
		"command -v virtnbdbackup || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends virtnbdbackup </dev/null",
	];
	return (await run(wanted, { reject: false, timeoutMs: 600_000 })).exitCode === 0;
};

type Costs = { readonly full: Cost[]; readonly increment: Cost[] };
const empty = (): Costs => ({ full: [], increment: [] });

const round = async (
	lab: Lab,
	guest: Guest,
	knib: Knib,
	costs: { bare: Costs; knib: Costs; peer: Costs },
	peer: boolean,
	n: number,
) => {
	const change = () => guest.exec(`guestbin mod /mnt/data/big ${DATA_MIB} 64 ${n + 1}; sync`);
	const directory = join(lab.dir, "bench", String(n));
	await mkdir(directory, { recursive: true });
	const inTurn = async (
		costsOf: Costs,
		full: () => Promise<unknown>,
		increment: () => Promise<unknown>,
		end: () => Promise<unknown>,
	) => {
		await dropCaches();
		costsOf.full.push(await measure(guest, full));
		await change();
		await dropCaches();
		costsOf.increment.push(await measure(guest, increment));
		await end();
	};
	await inTurn(
		costs.bare,
		() => primitives(lab, guest, directory, "1", null),
		() => primitives(lab, guest, directory, "2", "1"),
		() => endPrimitives(lab, guest),
	);
	await inTurn(
		costs.knib,
		() => takeBackup(knib, guest.name),
		() => takeBackup(knib, guest.name),
		() => knib.ok("chain", "finish", guest.name),
	);
	if (peer) {
		const output = join(directory, "peer");
		await inTurn(
			costs.peer,
			() => virtnbdbackup(lab, guest, output, "full"),
			() => virtnbdbackup(lab, guest, output, "inc"),
			() => lab.virsh("checkpoint-delete", guest.name, "virtnbdbackup.0", "--children"),
		);
	}
	await rm(directory, { recursive: true, force: true });
};

const lab = await startLab();
try {
	const guest = await defineGuest(lab, { name: "bench", dataMib: 2 * DATA_MIB });
	await guest.start();
	await guest.exec(`guestbin fill /mnt/data/big ${DATA_MIB} 1; sync`, { deadlineMs: 600_000 });
	await startProbe(guest);
	const knib = await startKnib(lab);
	const peer = await hasPeer();
	const costs = { bare: empty(), knib: empty(), peer: empty() };
	for (let n = 0; n < ROUNDS; n++) await round(lab, guest, knib, costs, peer, n);
	const rows = (which: "full" | "increment"): (readonly [string, readonly Cost[]])[] => [
		[`primitives, ${which}`, costs.bare[which]],
		[`knib, ${which}`, costs.knib[which]],
		...(peer ? ([[`virtnbdbackup, ${which}`, costs.peer[which]]] as const) : []),
	];
	console.log(
		`${DATA_MIB} MiB of data, 64 MiB rewritten before each increment, medians of ${ROUNDS}`,
	);
	console.log(table(rows("full")));
	console.log(table(rows("increment")));
	await knib.stop();
} finally {
	await lab.stop();
}
