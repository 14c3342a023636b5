// The hook as libvirt runs it: a shell script, the definition on its input, the index as knibd wrote it (SAFETY F4).
import { mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileFacts, TrackedFiles } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { execa } from "execa";
import { hookScript } from "../../../apps/host-daemon/src/hook/hook-script.ts";
import { openOverlayIndex } from "../../../apps/host-daemon/src/hook/overlay-index.ts";
import { digestOf } from "../../support/builders/manifest.ts";

const VM = { uuid: "5ec0b5e4-9d0e-4b43-9d6c-2e1f8b0f3a11", name: "web 01" };

const escaped = (text: string): string =>
	text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("'", "&apos;");

const diskXml = (path: string, below = ""): string => `    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='${escaped(path)}' index='1'/>
${below}      <target dev='vda' bus='virtio'/>
    </disk>`;

const belowXml = (path: string): string => `      <backingStore type='file' index='2'>
        <format type='raw'/>
        <source file='${escaped(path)}'/>
        <backingStore/>
      </backingStore>
`;

const factsOf = async (path: string): Promise<FileFacts> => {
	const { ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
	const times = { mtime: String(mtimeNs), ctime: String(ctimeNs) };
	const owner = { uid: 0, gid: 0, mode: 0o600 };
	const file = { path, kind: "file", inode: String(ino), fileSystem: "f", size: 4 } as const;
	return { ...file, ...owner, ...times, headerDigest: digestOf("header") };
};

const world = async (t: ExecutionContext) => {
	const home = await mkdtemp(join(tmpdir(), "knib-"));
	t.teardown(() => rm(home, { recursive: true }));
	const stateDir = join(home, "the 'state' dir");
	await mkdir(stateDir);
	const index = openOverlayIndex(stateDir);
	const base = join(home, "it's & <base>.raw");
	const overlay = `${base}.knib-${VM.uuid}.qcow2`;
	await writeFile(base, "base");
	await writeFile(overlay, "overlay");
	const facts = async (): Promise<TrackedFiles> => {
		const top = { path: overlay, inode: "1", fileSystem: "f" };
		return { target: "vda", virtualSize: 4, overlay: top, below: [await factsOf(base)] };
	};
	const script = join(home, "hook");
	await writeFile(script, hookScript(stateDir), { mode: 0o755 });
	const start = async (devices: string, operation = "prepare") => {
		const input = `<domain type='kvm'>\n  <devices>\n${devices}\n  </devices>\n</domain>\n`;
		const run = await execa(script, ["any", operation, "begin", "-"], { input, reject: false });
		return { code: run.exitCode, words: run.stderr };
	};
	const cover = async () => index.cover(VM, [await facts()]);
	return { home, base, overlay, index, start, cover };
};

test("hook › refuses a VM whose disk lies below a live overlay, in words", async (t) => {
	const { base, overlay, start, cover, index, home } = await world(t);
	t.is((await start(diskXml(base))).code, 0, "nothing is covered yet");
	await cover();
	const refused = await start(diskXml(base));
	t.is(refused.code, 1);
	t.true(refused.words.includes(`${base} lies below ${overlay}`), refused.words);
	t.regex(refused.words, /VM web 01 .*\n.*knib chain finish web 01/);
	await symlink(base, join(home, "link"));
	t.is((await start(diskXml(join(home, "link")))).code, 1, "by another name");
	const second = `${diskXml(join(home, "other"))}\n${diskXml(base)}`;
	t.is((await start(second)).code, 1, "as the second disk");
	t.like(await index.find(join(home, "link")), { base, overlay, vm: "web 01" });
});

test("hook › lets through what loses nothing", async (t) => {
	const { base, overlay, start, cover, home } = await world(t);
	await cover();
	t.is((await start(diskXml(overlay))).code, 0, "the VM as libvirt has it");
	t.is((await start(diskXml(overlay, belowXml(base)))).code, 0, "what lies below is named as such");
	t.is((await start(diskXml(base), "release")).code, 0, "another operation");
	t.is((await start(diskXml(join(home, "missing")))).code, 0, "a disk that is not there");
	t.is((await start("")).code, 0, "no disk");
});

test("hook › lets a base through that is not what lay below the overlay", async (t) => {
	const { base, overlay, start, cover, index } = await world(t);
	await cover();
	await utimes(base, new Date(), new Date("2020-01-01T00:00:00.123Z"));
	t.is((await start(diskXml(base))).code, 0, "it was written since");
	t.like(await index.find(base), { overlay }, "though a VM that runs on it is still found");
	await cover();
	t.is((await start(diskXml(base))).code, 1, "as it was recorded anew");
	await rename(base, `${base}.old`);
	await writeFile(base, "base");
	t.is((await start(diskXml(base))).code, 0, "another file has its name");
	await rename(`${base}.old`, base);
	t.is((await start(diskXml(base))).code, 1);
	await rm(overlay);
	t.is((await start(diskXml(base))).code, 0, "the overlay is gone");
});

test("hook › an overlay that was merged covers nothing, an older one that stays does", async (t) => {
	const { base, overlay, start, cover, index } = await world(t);
	await cover();
	const newer = `${base}.knib-newer.qcow2`;
	await writeFile(newer, "newer");
	const top = { path: newer, inode: "2", fileSystem: "f" };
	const below = [await factsOf(overlay), await factsOf(base)];
	await index.cover(VM, [{ target: "vda", virtualSize: 4, overlay: top, below }]);
	t.is((await start(diskXml(overlay))).code, 1, "the older overlay lies below the newer one");
	await index.uncover(VM.uuid, [newer]);
	t.is((await start(diskXml(base))).code, 1, "the switch was undone");
	await index.uncover(VM.uuid, [overlay]);
	t.is((await start(diskXml(base))).code, 0);
});
