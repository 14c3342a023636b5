// The lab itself: what the other lab tests take for granted. One plain lab with one booted guest
// serves most of it; its guest is left in another state by each test, but always running.

import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { waitFor } from "./support/deadline.ts";
import { copyImage, defineGuest, type Guest } from "./support/guest.ts";
import { type Lab, labScript, startLab } from "./support/lab.ts";
import { allocatedBytes, compare, imageChain, takeOracle } from "./support/oracle.ts";
import { run } from "./support/run.ts";
import { attachLoop, mountTmpfs } from "./support/storage.ts";

const ODD_DIRECTORY = `-a, "quoted" 'dir' & <ünï>`;
const DEAD_OWNER = "4194304 1";

let lab: Lab;
let guest: Guest;

test.before(async () => {
	lab = await startLab();
	guest = await defineGuest(lab, { name: "one" });
	await guest.start();
});

test.after.always(() => lab?.stop());

test("guest › runs commands and keeps files", async (t) => {
	const result = await guest.exec("echo out; echo err >&2; exit 3", { reject: false });
	t.deepEqual(result, { code: 3, stdout: "out\n", stderr: "err\n" });
	await t.throwsAsync(guest.exec("false"), { message: /exited 1/ });
	await guest.writeFile("/mnt/data/a file", "quote ' and ünïcode\n");
	const { stdout } = await run(["sha256sum"], { input: "quote ' and ünïcode\n" });
	t.is(await guest.sha256("/mnt/data/a file"), stdout.slice(0, 64));
});

test("guest › freezes its file systems", async (t) => {
	await lab.virsh("domfsfreeze", "one");
	await t.throwsAsync(guest.exec("true"), { message: /frozen state|not allowed/ });
	await lab.virsh("domfsthaw", "one");
	t.is((await guest.exec("echo thawed")).stdout, "thawed\n");
});

test("oracle › equals the disk of its instant only", async (t) => {
	await guest.exec("guestbin fill /mnt/data/big 16 1; sync");
	const before = await guest.disks();
	const oracle = await takeOracle(guest, {
		directory: join(lab.dir, "oracle"),
		during: () =>
			lab.virsh("snapshot-create-as", "one", "s1", "--disk-only", "--no-metadata", "--atomic"),
	});
	t.is(await guest.state(), "running");
	await guest.exec("guestbin rand4k /mnt/data/big 100 2; date > /var/later; sync");
	for (const [index, { target, path, format }] of (await guest.disks()).entries()) {
		const reference = oracle.references.get(target) ?? "";
		const frozen = before[index]?.path ?? "";
		t.true((await compare(frozen, "qcow2", reference)).same, target);
		t.regex((await compare(path, format, reference)).text, /Content mismatch/, target);
		const chain = await imageChain(path);
		t.deepEqual(
			chain.map((image) => image.backing),
			[frozen, undefined],
		);
		t.true((await allocatedBytes(path)) >= 4096);
		await lab.virsh("blockcommit", "one", target, "--active", "--pivot", "--wait");
	}
	t.deepEqual(await guest.disks(), before);
});

test("oracle › tells images of different sizes apart", async (t) => {
	const small = join(lab.dir, "small.raw");
	const large = join(lab.dir, "large.raw");
	await run(["truncate", "-s", "1M", small]);
	await run(["truncate", "-s", "2M", large]);
	t.false((await compare(large, "raw", small)).same);
});

test("writer › has every synced record after qemu was killed", async (t) => {
	const files = ["/mnt/data/seq", "/var/seq"] as const;
	await guest.startWriter(...files);
	const seen = await waitFor(async () => (await guest.checkWriter(files[1])) || false, {
		deadlineMs: 60_000,
		what: "the first record",
	});
	await guest.kill();
	await guest.start();
	t.true((await guest.checkWriter(...files)) >= seen);
});

test("libvirtd › is killed and started again while the guest runs on", async (t) => {
	const pid = await guest.pid();
	await lab.killDaemon();
	await lab.startDaemon();
	t.is(await guest.pid(), pid);
	t.is((await guest.exec("echo here")).stdout, "here\n");
});

test("storage › mounts made later are seen by libvirtd", async (t) => {
	const mounted = await mountTmpfs(lab, "small", 2);
	await writeFile(join(mounted.path, "word"), "inside");
	t.is((await lab.enter("cat", join(mounted.path, "word"))).stdout, "inside");
	await t.throwsAsync(run(["dd", "if=/dev/zero", `of=${mounted.path}/full`, "bs=1M"]), {
		message: /No space left/,
	});
	await mounted.unmount();
	t.not((await lab.enter("cat", join(mounted.path, "word"))).exitCode, 0);
});

test("default flavour › unprivileged qemu, odd paths, raw and block disks, beside another lab", async (t) => {
	if (!lab.isolated) {
		t.pass("one lab at a time on this machine");
		return;
	}
	const other = await startLab({ flavour: "default" });
	try {
		const diskDir = join(other.dir, "guests", ODD_DIRECTORY);
		await mkdir(diskDir, { recursive: true });
		const root = join(diskDir, "root, first.qcow2");
		const raw = join(diskDir, "-raw");
		await copyImage(join(other.images, "root.qcow2"), root);
		const data = join(other.images, "data.qcow2");
		await run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", data, raw]);
		const blockFile = join(diskDir, "block");
		await run(["cp", raw, blockFile]);
		const loop = await attachLoop(other, blockFile);
		// the name of the other lab's guest, on purpose
		const twin = await defineGuest(other, {
			name: "one",
			diskDir,
			disks: [
				{ target: "vda", path: root },
				{ target: "vdb", path: raw, format: "raw" },
				{ target: "vdc", path: loop.device, kind: "block", format: "raw" },
				{ target: "sda", device: "cdrom", bus: "ide" },
			],
		});
		await twin.start();
		const libvirtQemu = (await run(["id", "-u", "libvirt-qemu"])).stdout;
		const status = await readFile(`/proc/${await twin.pid()}/status`, "utf8");
		t.regex(status, new RegExp(`^Uid:\\t${libvirtQemu}\\t`, "m"));
		t.is(String((await stat(root)).uid), libvirtQemu);
		t.deepEqual(
			(await twin.disks()).map(({ path }) => path),
			[root, raw, loop.device],
		);
		t.regex((await twin.exec("cat /proc/mounts")).stdout, /vdb \/mnt\/data ext4.*vdc \/mnt\/vdc/s);
		t.is((await guest.exec("ls /mnt")).stdout, "data\n");
		await twin.shutdown();
		t.is((await stat(root)).uid, 0);
		t.is(await guest.state(), "running");
		await loop.detach();
	} finally {
		await other.stop();
	}
});

test("uefi guest › boots with its own variables", async (t) => {
	const uefi = await defineGuest(lab, { name: "uefi", uefi: true });
	await uefi.start();
	t.is((await uefi.exec("ls /sys/firmware/efi/systab")).code, 0);
	t.true((await stat(join(uefi.diskDir, "nvram.fd"))).size > 0);
	await uefi.kill();
	await uefi.remove();
	t.not((await lab.tryVirsh("domstate", "uefi")).exitCode, 0);
});

test("leftovers › of a run that died are removed by the next", async (t) => {
	if (!lab.isolated) {
		t.pass("one lab at a time on this machine");
		return;
	}
	const dead = await startLab();
	await defineGuest(dead, { name: "left" });
	await dead.virsh("start", "left", "--paused");
	const pid = (await readFile(join(dead.runtimeDir, "qemu", "left.pid"), "utf8")).trim();
	await writeFile(join(dead.dir, "owner"), DEAD_OWNER);
	await labScript("clean");
	await t.throwsAsync(stat(dead.dir), { code: "ENOENT" });
	// gone, or a zombie that no init reaps
	t.notRegex(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""), /\) [^Z]/);
	t.is(await guest.state(), "running");
});
