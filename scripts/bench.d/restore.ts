// Restores beside their alternatives, in turn and in one run. Full: qemu-img convert of the same layers, knib, and virtnbdrestore of
// its own backup. Quick: a plain start of the same VM, and from command to answering agent, at two sizes and from three kinds of chain.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { waitFor } from "../../test/lab/support/deadline.ts";
import { defineGuest, type Guest, guestOf } from "../../test/lab/support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "../../test/lab/support/knib.ts";
import { type Lab, startLab } from "../../test/lab/support/lab.ts";
import { imageChain } from "../../test/lab/support/oracle.ts";
import { run } from "../../test/lab/support/run.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const PARTS = process.argv.length > 3 ? process.argv.slice(3) : ["full", "1", "64"];
const FULL_MIB = 1024;
const QUICK_MIB = 512;
const DEPTH = 8;
const LONG = { timeoutMs: 900_000 };

const median = (values: readonly number[]): number =>
	values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Seconds of the work, with a cold page cache before it and its bytes on the disk at its end. */
const timed = async (work: () => Promise<unknown>): Promise<number> => {
	await run(["sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches"], LONG);
	const started = performance.now();
	await work();
	return (performance.now() - started) / 1000;
};

const digests = async (knib: Knib): Promise<string> => {
	const hash = `find '${knib.repository}/vms' -name '*.qcow2' -print0 | sort -z | xargs -0 sha256sum`;
	return (await run(["sh", "-c", hash], LONG)).stdout;
};

/** Removes a restored VM that is off, and what lies in its directory. */
const discard = async (vm: Guest): Promise<void> => {
	await vm.remove();
	for (const name of await readdir(vm.diskDir)) await rm(join(vm.diskDir, name));
};

const peerThere = async (): Promise<boolean> => {
	const wanted =
		"command -v virtnbdrestore || DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends virtnbdbackup </dev/null";
	return (await run(["sh", "-c", wanted], { ...LONG, reject: false })).exitCode === 0;
};

const convert = async (backup: TakenBackup, directory: string): Promise<void> => {
	for (const { target } of backup.disks) {
		const [from, to] = [backup.path, directory].map((one) => join(one, `${target}.qcow2`));
		await run(["qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", `${from}`, `${to}`], LONG);
	}
	await run(["sync", "-f", directory], LONG);
};

const virtnbdrestore = async (lab: Lab, from: string, to: string): Promise<void> => {
	const restore = ["virtnbdrestore", "-n", "-U", lab.uri, "-i", from, "-o", to];
	await run([...restore, "-L", `${from}.log`], LONG);
	await run(["sync", "-f", to], LONG);
};

const benchFull = async (lab: Lab, knib: Knib): Promise<void> => {
	const guest = await defineGuest(lab, { name: "benchfull", dataMib: 2 * FULL_MIB });
	await guest.start();
	await guest.exec(`guestbin fill /mnt/data/big ${FULL_MIB} 1; sync`, { deadlineMs: 600_000 });
	const backup = await takeBackup(knib, guest.name, "--isolated");
	const [output, peer] = [join(lab.dir, "restored"), join(lab.dir, "peer")];
	const full = ["-U", lab.uri, "-d", guest.name, "-l", "full", "-o", peer];
	const hasPeer = await peerThere();
	if (hasPeer) await run(["virtnbdbackup", ...full], LONG);
	await guest.shutdown();
	const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
		["qemu-img convert", () => convert(backup, output)],
		[
			"knib restore new",
			() => knib.ok("restore", "new", backup.id, "--as", "whole", "--storage", output),
		],
		...(hasPeer ? [["virtnbdrestore", () => virtnbdrestore(lab, peer, output)] as const] : []),
	];
	const times = ways.map((): number[] => []);
	for (let round = 0; round < ROUNDS; round++) {
		for (const [index, [, work]] of ways.entries()) {
			await mkdir(output, { recursive: true });
			times[index]?.push(await timed(work));
			await lab.tryVirsh("undefine", "whole");
			await rm(output, { recursive: true });
		}
	}
	console.log(`\n${FULL_MIB} MiB of data, medians of ${ROUNDS}\nfull restore          s   ratio`);
	const base = median(times[0] ?? []);
	for (const [index, [name]] of ways.entries()) {
		const wall = median(times[index] ?? []);
		const ratio = (wall / base).toFixed(2).padStart(8);
		console.log(`${name.padEnd(16)}${wall.toFixed(2).padStart(7)}${ratio}`);
	}
	if (!hasPeer) console.log("virtnbdrestore: Debian has no package virtnbdbackup here");
	await guest.remove();
};

/** The same data as a full, as a compressed full, and at the end of a chain. */
const takeKinds = async (
	knib: Knib,
	guest: Guest,
): Promise<readonly (readonly [string, TakenBackup])[]> => {
	const change = (n: number) => guest.exec(`guestbin mod /mnt/data/big ${QUICK_MIB} 16 ${n}; sync`);
	let deep = await takeBackup(knib, guest.name);
	for (let n = 2; n <= DEPTH; n++) {
		await change(n);
		deep = await takeBackup(knib, guest.name);
	}
	const plain = await takeBackup(knib, guest.name, "--isolated");
	const packed = await takeBackup(knib, guest.name, "--isolated");
	await knib.ok("backup", "compress", packed.id);
	return [
		["uncompressed", plain],
		["compressed", packed],
		[`${DEPTH} deep`, deep],
	];
};

const jobs = z.array(z.looseObject({ state: z.string() }));

/** Waits for the disks to stand on themselves and looks whether the data is right; seconds that it took. */
const consolidated = async (knib: Knib, vm: Guest, sum: string): Promise<number> => {
	const started = performance.now();
	await waitFor(
		async () =>
			jobs
				.parse(await knib.ok("job", "list", "--type", "Consolidate"))
				.every(({ state }) => state === "succeeded"),
		{ deadlineMs: 600_000, everyMs: 500, what: "the consolidation" },
	);
	const seconds = (performance.now() - started) / 1000;
	for (const { path, format, target } of await vm.disks()) {
		if ((await imageChain(path, format)).length !== 1) throw new Error(`${target} is not whole`);
	}
	if ((await vm.sha256("/mnt/data/big")) !== sum) throw new Error("the data is not the backup's");
	return seconds;
};

const benchQuick = async (lab: Lab, knib: Knib, gib: number): Promise<void> => {
	const guest = await defineGuest(lab, { name: `bench${gib}`, dataMib: gib * 1024 });
	await knib.ok("vm", "assign", guest.name, "fast");
	await guest.start();
	await guest.exec(`guestbin fill /mnt/data/big ${QUICK_MIB} 1; sync`, { deadlineMs: 600_000 });
	const kinds = await takeKinds(knib, guest);
	const sum = await guest.sha256("/mnt/data/big");
	await guest.shutdown();
	const before = await digests(knib);
	const storage = join(lab.dir, `quick${gib}`);
	await mkdir(storage, { mode: 0o755 });
	console.log(`\n${gib} GiB virtual, ${QUICK_MIB} MiB of data, medians of ${ROUNDS}`);
	console.log("quick restore    plain s  quick s   ratio  limit s  consolidated s");
	for (const [name, { id }] of kinds) {
		const [plain, quick, pulled]: [number[], number[], number[]] = [[], [], []];
		for (let round = 0; round < ROUNDS; round++) {
			plain.push(await timed(() => guest.start()));
			await guest.shutdown();
			const vm = guestOf(lab, `quick${gib}`, storage);
			quick.push(
				await timed(async () => {
					await knib.ok("restore", "new", id, "--as", vm.name, "--quick", "--storage", storage);
					await vm.waitReady();
				}),
			);
			pulled.push(await consolidated(knib, vm, sum));
			await discard(vm);
		}
		const [started, answered] = [median(plain), median(quick)];
		const cells = [started, answered, answered / started, 1.25 * started + 1, median(pulled)];
		console.log(name.padEnd(15) + cells.map((one) => one.toFixed(2).padStart(9)).join(""));
	}
	if ((await digests(knib)) !== before) throw new Error("a layer is not as it was");
	console.log("every disk whole, the guest's data right, every layer's digest as before");
	await guest.remove();
};

const lab = await startLab({ flavour: "default" });
try {
	const knib = await startKnib(lab, "knib", { repository: join(lab.dir, "repository") });
	await knib.ok("offering", "create", "fast", "--allow-quick-restore");
	console.log(`guests run by ${lab.accel}`);
	for (const part of PARTS) {
		if (part === "full") await benchFull(lab, knib);
		else await benchQuick(lab, knib, Number(part));
	}
	await knib.stop();
} finally {
	await lab.stop();
}
