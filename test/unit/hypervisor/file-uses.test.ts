import { link, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileUse } from "@knib/core";
import anyTest, { type TestFn } from "ava";
import { readFileUses } from "../../../apps/host-daemon/src/hypervisor/file-uses.ts";
import { createVirsh } from "../../../apps/host-daemon/src/hypervisor/virsh-client.ts";
import { fromVirsh, imageHeader } from "./recorded.ts";
import { type Answer, scriptedRun, sleepingClock } from "./scripted-run.ts";

const test = anyTest as TestFn<{ directory: string }>;

test.beforeEach(async (t) => {
	t.context.directory = await mkdtemp(join(tmpdir(), "knib-uses-"));
});
test.afterEach.always((t) => rm(t.context.directory, { recursive: true, force: true }));

const A = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01";
const B = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a02";

const disk = (path: string, format = "qcow2", more = ""): string =>
	`<disk type='file' device='disk'><driver type='${format}'/><source file='${path}'/>${more}<target dev='vda'/></disk>`;
const domain = (devices: string, id = ""): string =>
	`<domain${id}><devices>${devices}</devices></domain>`;

type FakeVm = {
	readonly uuid: string;
	readonly inactive: string;
	readonly live?: string;
	readonly saved?: string;
	readonly snapshots?: Readonly<Record<string, string>>;
};

const info = (vm: FakeVm): string =>
	`State: ${vm.live === undefined ? "shut off" : "running"}\nPersistent: yes\nManaged save: ${vm.saved === undefined ? "no" : "yes"}\n`;

const answer = (vm: FakeVm, argv: readonly string[]): Answer => {
	const [command] = argv;
	if (command === "dominfo") return { stdout: info(vm) };
	if (command === "dumpxml") {
		return { stdout: argv.includes("--inactive") ? vm.inactive : (vm.live ?? vm.inactive) };
	}
	if (command === "managedsave-dumpxml") return { stdout: vm.saved ?? "" };
	if (command === "snapshot-list") return { stdout: Object.keys(vm.snapshots ?? {}).join("\n") };
	const name = argv[2]?.replace("--snapshotname=", "") ?? "";
	return { stdout: vm.snapshots?.[name] ?? "" };
};

const usesOf = (
	vms: readonly FakeVm[],
	override?: (argv: readonly string[]) => Answer | undefined,
) => {
	const { run } = scriptedRun((all) => {
		const argv = all.slice(4);
		const own = override?.(argv);
		if (own !== undefined) return own;
		if (argv[0] === "list") return { stdout: vms.map((vm) => `${vm.uuid} name`).join("\n") };
		const vm = vms.find((one) => one.uuid === argv[1]);
		return vm === undefined ? { stderr: fromVirsh("error-no-domain.txt") } : answer(vm, argv);
	});
	return readFileUses(createVirsh({ uri: "test:///x", run, clock: sleepingClock() }));
};

const short = (uses: readonly FileUse[]): readonly string[] =>
	uses.map((use) => `${use.path} ${use.where}${use.writable ? " writable" : ""}`);

test("fileUses › names live and inactive images, chains, mirrors, snapshots and saved states", async (t) => {
	const chain = `<backingStore><format type='raw'/><source file='/v.raw'/><backingStore/></backingStore><mirror type='file' job='copy'><format type='raw'/><source file='/m.raw'/></mirror>`;
	const snapshot = `<domainsnapshot><name>s</name><memory snapshot='external' file='/s.mem'/><disks><disk name='vda' snapshot='external'><source file='/s.qcow2'/></disk></disks></domainsnapshot>`;
	const uses = await usesOf([
		{
			uuid: A,
			inactive: domain(disk("/i.raw", "raw")),
			live: domain(disk("/l.raw", "raw", chain), " id='1'"),
			snapshots: { s: snapshot },
		},
		{ uuid: B, inactive: domain(disk("/b.raw", "raw")), saved: domain(disk("/saved.raw", "raw")) },
	]);
	t.deepEqual(short(uses), [
		"/i.raw inactive writable",
		"/l.raw live writable",
		"/v.raw backing",
		"/m.raw live writable",
		"/s.mem snapshot",
		"/s.qcow2 snapshot writable",
		"/b.raw inactive writable",
		"/saved.raw managed save writable",
	]);
	t.deepEqual([...new Set(uses.map((use) => use.vm))], [A, B]);
});

test("fileUses › follows the headers of images below, and shows a data file", async (t) => {
	const top = join(t.context.directory, "top.qcow2");
	const base = join(t.context.directory, "web-base.qcow2");
	await writeFile(top, imageHeader("overlay"));
	await writeFile(base, imageHeader("data-file"));
	t.deepEqual(short(await usesOf([{ uuid: A, inactive: domain(disk(top)) }])), [
		`${top} inactive writable`,
		`${base} backing`,
		"/srv/vms/data.raw backing",
	]);
});

test("fileUses › tells the same file under another name, and which disk stands on it", async (t) => {
	const file = join(t.context.directory, "disk.raw");
	const hard = join(t.context.directory, "hard.raw");
	const soft = join(t.context.directory, "soft.raw");
	await writeFile(file, "x");
	await link(file, hard);
	await symlink(file, soft);
	const vms = [file, hard, soft, "/no/such.raw"].map((path, index) => ({
		uuid: `${A.slice(0, -1)}${index}`,
		inactive: domain(disk(path, "raw")),
	}));
	const [first, second, third, missing] = await usesOf(vms);
	t.regex(first?.file ?? "", /^file \d+:\d+$/);
	t.is(second?.file, first?.file);
	t.is(third?.file, first?.file);
	t.is(missing?.file, null);
	t.is(first?.target, "vda");
});

test("fileUses › believes nothing that a guest wrote into a raw disk", async (t) => {
	const raw = join(t.context.directory, "disk.raw");
	await writeFile(raw, imageHeader("overlay"));
	const uses = await usesOf([{ uuid: A, inactive: domain(disk(raw, "raw")) }]);
	t.deepEqual(short(uses), [`${raw} inactive writable`]);
});

test("fileUses › counts a path that a VM which is off names though nothing is there", async (t) => {
	const uses = await usesOf([{ uuid: A, inactive: domain(disk("/no/such.qcow2")) }]);
	t.deepEqual(short(uses), ["/no/such.qcow2 inactive writable"]);
});

test("fileUses › names an image of a running VM that cannot be read", async (t) => {
	const live = domain(disk("/no/such.qcow2"), " id='1'");
	await t.throwsAsync(usesOf([{ uuid: A, inactive: live, live }]), {
		code: "COMMAND_FAILED",
		message: /\/no\/such\.qcow2/,
	});
});

test("fileUses › does not follow a chain that comes back to itself for ever", async (t) => {
	const top = join(t.context.directory, "top.qcow2");
	await writeFile(top, imageHeader("overlay"));
	await symlink(top, join(t.context.directory, "web-base.qcow2"));
	await t.throwsAsync(usesOf([{ uuid: A, inactive: domain(disk(top)) }]), {
		code: "COMMAND_FAILED",
		message: /does not end/,
	});
});

test("fileUses › passes on a question that libvirt did not answer", async (t) => {
	const vms = [{ uuid: A, inactive: domain(disk("/a.raw", "raw")) }];
	for (const command of ["list", "dominfo", "dumpxml", "snapshot-list"]) {
		const uses = usesOf(vms, (argv) =>
			argv[0] === command ? { stderr: fromVirsh("error-unreachable.txt") } : undefined,
		);
		await t.throwsAsync(uses, { code: "LIBVIRT_UNREACHABLE" }, command);
	}
});

test("fileUses › leaves out a VM that vanished since it was listed", async (t) => {
	const vms = [{ uuid: A, inactive: domain(disk("/a.raw", "raw")) }];
	const uses = await usesOf(vms, (argv) =>
		argv[0] === "list" ? { stdout: `${A} a\n${B} b\n` } : undefined,
	);
	t.deepEqual(short(uses), ["/a.raw inactive writable"]);
});
