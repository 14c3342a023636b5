// Files out of backups: through the appliance, from partitions, volumes and file systems of every kind, and from hostile ones.
// SPEC 6.6; ACCEPTANCE R12; SAFETY I9.
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "ava";
import { z } from "zod";
import { applianceEnvironment, guestfish } from "./support/appliance.ts";
import { defineGuest, type Guest, makeDisks } from "./support/guest.ts";
import { type Knib, startKnib, type TakenBackup, takeBackup } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";
import { run } from "./support/run.ts";

let lab: Lab;
let knib: Knib;
let guest: Guest;
let first: TakenBackup;
let second: TakenBackup;
let published: string;

const MANY_KINDS = [
	"part-init /dev/sda gpt",
	"part-add /dev/sda primary 2048 83967",
	"part-add /dev/sda primary 83968 206847",
	"part-add /dev/sda primary 206848 985087",
	"part-add /dev/sda primary 985088 1107967",
	"part-add /dev/sda primary 1107968 1312767",
	"mkfs vfat /dev/sda1",
	"mkfs ext4 /dev/sda2",
	"mkfs ntfs /dev/sda4",
	"pvcreate /dev/sda5",
	"vgcreate group /dev/sda5",
	"lvcreate volume group 64",
	"mkfs ext4 /dev/group/volume label:inside",
	...["/dev/sda1", "/dev/sda2", "/dev/sda4", "/dev/group/volume"].flatMap((device) => [
		`mount ${device} /`,
		"mkdir /folder",
		`write /folder/from "${device}"`,
		"umount-all",
	]),
];

const HOSTILE = [
	"cd /mnt/data",
	"mkdir -p evil/deep",
	`printf red > "$(printf 'evil/\\033[31mred')"`,
	`printf line > "$(printf 'evil/two\\nlines')"`,
	`printf bytes > "$(printf 'evil/\\377\\376')"`,
	"printf quote > 'evil/it'\"'\"'s \"a\" \\b'",
	"ln -s /etc/shadow evil/absolute",
	"ln -s ../../../../etc/shadow evil/upwards",
	"ln -s from evil/inside",
	"printf from > evil/from",
	"chmod 6755 evil/from",
	"mkfifo evil/pipe",
	"printf one > changing",
	"sync",
];

/** The appliance reads XFS by its kernel alone; making one takes a program that it need not have. */
const addXfs = async (directory: string, disk: string): Promise<void> => {
	const [image, prototype, from] = ["xfs", "prototype", "from"].map((one) => join(directory, one));
	await run(["truncate", "-s", "380M", `${image}`]);
	await writeFile(`${from}`, "/dev/sda3");
	const folder = ["folder d--755 0 0", `from ---644 0 0 ${from}`, "$", "$"];
	await writeFile(`${prototype}`, ["boot 0 0", "d--755 0 0", ...folder, ""].join("\n"));
	await run(["mkfs.xfs", "-q", "-p", `${prototype}`, `${image}`]);
	await run(["dd", `if=${image}`, `of=${disk}`, "bs=1M", "seek=101", "conv=notrunc,sparse"]);
};

/** Owner, mode, times and size of everything that is published. */
const everyFile = async (): Promise<string> => {
	const format = "%p %s %u %g %m %T@ %C@\n";
	const vms = join(knib.repository, "vms");
	const found = await run([
		"find",
		vms,
		"-type",
		"f",
		"-not",
		"-path",
		"*/holds/*",
		"-printf",
		format,
	]);
	return found.stdout.split("\n").sort().join("\n");
};

test.before(async () => {
	lab = await startLab();
	knib = await startKnib(lab, "knib", { environment: await applianceEnvironment() });
	const directory = join(lab.dir, "guests", "files");
	await mkdir(directory, { recursive: true });
	const kinds = join(directory, "kinds.raw");
	const liar = join(directory, "liar.raw");
	await run(["truncate", "-s", "650M", kinds]);
	await guestfish(kinds, MANY_KINDS);
	await addXfs(directory, kinds);
	await run([
		"qemu-img",
		"create",
		"-q",
		"-f",
		"qcow2",
		"-u",
		"-F",
		"raw",
		"-b",
		"/etc/shadow",
		liar,
		"1M",
	]);
	await run(["truncate", "-s", "1M", liar]);
	guest = await defineGuest(lab, {
		name: "files",
		diskDir: directory,
		disks: [
			...(await makeDisks(lab, directory)),
			{ target: "vdc", path: kinds, format: "raw" },
			{ target: "vdd", path: liar, format: "raw" },
		],
	});
	await guest.start();
	await guest.exec(HOSTILE.join(" && "));
	await knib.ok("offering", "update", "default", "--allow-extract-file");
	first = await takeBackup(knib, "files");
	await guest.exec("printf two > /mnt/data/changing && printf root > /marker && sync");
	second = await takeBackup(knib, "files");
	await knib.ok("backup", "compress", second.id);
	published = await everyFile();
});

test.after.always(async () => {
	await knib?.stop();
	await lab?.stop();
});

const listSchema = z.looseObject({
	partition: z.string().nullable(),
	fileSystems: z.array(z.looseObject({ partition: z.string(), type: z.string() })),
	files: z.array(
		z.looseObject({ name: z.string(), type: z.string(), target: z.string().nullable() }),
	),
});
const list = async (...args: readonly string[]) =>
	listSchema.parse(await knib.ok("files", "list", ...args));

test.serial("files list › names the file systems of a disk with partitions and LVM", async (t) => {
	const { fileSystems, partition } = await list(first.id, "--disk", "vdc");
	t.is(partition, null);
	t.deepEqual(
		fileSystems.map((one) => `${one.partition} ${one.type}`),
		["1 vfat", "2 ext4", "3 xfs", "4 ntfs", "group/volume ext4"],
	);
	for (const one of fileSystems) {
		const args = ["--disk", "vdc", "--partition", one.partition, "/folder"];
		t.deepEqual(
			(await list(first.id, ...args)).files.map(({ name }) => name),
			["from"],
		);
	}
});

test.serial("files list › shows no control character of a guest's, on any way out", async (t) => {
	const args = ["files", "list", second.id, "--disk", "vdb", "/evil"];
	const text = await knib.cli(...args);
	t.is(text.code, 0, text.stderr);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	t.notRegex(text.stdout.replaceAll("\n", ""), /[\u0000-\u001f\u007f-\u009f]/);
	const { files } = await list(second.id, "--disk", "vdb", "/evil");
	t.deepEqual(
		files.map((one) => `${one.type} ${one.name}`),
		[
			"file \\x1b[31mred",
			"symlink absolute",
			"directory deep",
			"file from",
			"symlink inside",
			`file it's "a" \\\\b`,
			"fifo pipe",
			"file two\\x0alines",
			"symlink upwards",
			"file \\xff\\xfe",
		],
	);
	const named = ["--disk", "vdb", "/evil/two\\x0alines"];
	t.is((await list(second.id, ...named)).files[0]?.name, "two\\x0alines");
});

const logSchema = z.looseObject({
	disk: z.string(),
	backups: z.array(z.looseObject({ backup: z.string(), change: z.string() })),
});

test.serial(
	"files log › tells in which backups a file differs, and shows no byte of a name as it is",
	async (t) => {
		const log = async (...args: readonly string[]) => {
			const { disk, backups } = logSchema.parse(await knib.ok("files", "log", "files", ...args));
			t.deepEqual(
				backups.map(({ backup }) => backup),
				[first.id, second.id],
			);
			return [disk, ...backups.map(({ change }) => change)].join(" ");
		};
		t.is(await log("/changing", "--disk", "vdb"), "vdb first changed");
		t.is(await log("/evil/from", "--disk", "vdb"), "vdb first same");
		const cli = (path: string) => knib.cli("files", "log", "files", path, "--disk", "vdb");
		t.is((await cli("/never")).code, 4);
		const { stdout, stderr } = await cli("/evil/\\x1b[31mred");
		t.regex(stdout, /first/);
		t.false((stdout + stderr).includes("\u001b"));
	},
);

test.serial("files list › shows no control character on a terminal either", async (t) => {
	const line = `'${process.execPath}' bin/knib.js files list ${second.id} --disk vdb /evil`;
	const { stdout } = await run(["script", "-qec", line, "/dev/null"], {
		cwd: join(import.meta.dirname, "../.."),
		env: { KNIB_SOCKET: join(dirname(knib.stateDir), "control.sock"), TERM: "xterm" },
	});
	t.regex(stdout, /\\x1b\[31mred/);
	t.false(stdout.includes("\u001b[31m"));
	t.notRegex(stdout, /two\r?\nlines/);
});

test.serial(
	"files extract › brings files out of a compressed increment, and nothing that leads out",
	async (t) => {
		const out = join(lab.dir, "out");
		const args = ["--disk", "vdb", "/changing", "/evil", "-o", out];
		const result = await knib.cli("files", "extract", second.id, ...args);
		t.is(result.code, 3, result.stderr);
		t.is(await readFile(join(out, "changing"), "utf8"), "two");
		const made = await readdir(join(out, "evil"), { encoding: "latin1" });
		t.deepEqual(made.sort(), [
			"\u001b[31mred",
			"deep",
			"from",
			"inside",
			`it's "a" \\b`,
			"two\nlines",
			"\u00ff\u00fe",
		]);
		t.is((await stat(join(out, "evil/from"))).mode & 0o7777, 0o755);
		t.is(await readFile(join(out, "evil/inside"), "utf8"), "from");
		t.regex(result.stderr, /upwards was skipped/);
		const again = await knib.cli("files", "extract", second.id, ...args);
		t.is(again.code, 5, again.stderr);
		const older = ["--disk", "vdb", "/changing", "-o", out, "--overwrite"];
		await knib.ok("files", "extract", first.id, ...older);
		t.is(await readFile(join(out, "changing"), "utf8"), "one");
		t.deepEqual((await readdir(out)).sort(), ["changing", "evil"]);
	},
);

test.serial(
	"files extract › finds a file of a partition, and refuses `..` and a link out",
	async (t) => {
		const out = join(lab.dir, "partition");
		const from = [second.id, "--disk", "vda", "-o", out];
		await knib.ok("files", "extract", ...from, "--partition", "2", "/marker");
		t.is(await readFile(join(out, "marker"), "utf8"), "root");
		for (const path of ["/../../etc/shadow", "/etc/../../../etc/shadow"]) {
			t.is((await knib.cli("files", "extract", ...from, path)).code, 6);
		}
		t.deepEqual(await readdir(out), ["marker"]);
	},
);

test.serial(
	"files list › of a raw disk that begins like an image with a backing file shows nothing of the host",
	async (t) => {
		const { code, stdout, stderr } = await knib.cli("files", "list", second.id, "--disk", "vdd");
		t.is(code, 6, stderr);
		t.notRegex(stdout + stderr, /root:/);
		t.regex(stderr, /holds only unknown on whole/);
	},
);

test.serial(
	"files › leave every published file as it was, and no hold, appliance or directory behind",
	async (t) => {
		await knib.stop();
		t.is(await everyFile(), published);
		const holds = await run(["find", knib.repository, "-path", "*/holds/*", "-type", "f"]);
		t.is(holds.stdout, "");
		const scratch = await run(["find", lab.dir, "-name", "knib-files-*"]);
		t.is(scratch.stdout, "");
	},
);
