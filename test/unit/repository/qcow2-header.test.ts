import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { parseQcow2Header } from "../../../apps/host-daemon/src/repository/qcow2-header.ts";
import { qcow2Bytes } from "../../support/builders/manifest.ts";
import { temporaryDirectory } from "./support/directory-harness.ts";

const headerOf = (bytes: Uint8Array) => {
	const parsed = parseQcow2Header(bytes);
	return "header" in parsed ? parsed.header : parsed.problem;
};

test("parseQcow2Header › reads size, backing file and its format", (t) => {
	const backing = "../0001-a/vda.qcow2";
	t.deepEqual(headerOf(qcow2Bytes({ backing, virtualSize: 5 << 20 })), {
		version: 3,
		virtualSize: BigInt(5 << 20),
		backing,
		backingFormat: "qcow2",
		corrupt: false,
		dataFile: false,
	});
	t.like(headerOf(qcow2Bytes({ version: 2, backing })), { version: 2, backing });
	t.like(headerOf(qcow2Bytes({ backing, format: null })), { backing, backingFormat: null });
});

test("parseQcow2Header › sees a second file for the data and the mark of corruption", (t) => {
	t.like(headerOf(qcow2Bytes({ features: 4n })), { dataFile: true, corrupt: false });
	t.like(headerOf(qcow2Bytes({ features: 2n })), { dataFile: false, corrupt: true });
});

const broken = (change: (bytes: Buffer) => void): Buffer => {
	const bytes = qcow2Bytes({ backing: "../a" });
	change(bytes);
	return bytes;
};

const HOSTILE: readonly (readonly [string, Uint8Array])[] = [
	["an empty file", Buffer.alloc(0)],
	["a short file", qcow2Bytes().subarray(0, 80)],
	["zeroes", Buffer.alloc(70_000)],
	["version 4", broken((bytes) => bytes.writeUInt32BE(4, 4))],
	["a backing name outside what was read", broken((bytes) => bytes.writeBigUInt64BE(2n ** 63n, 8))],
	["a backing name at the end", broken((bytes) => bytes.writeBigUInt64BE(69_999n, 8))],
	["an endless backing name", broken((bytes) => bytes.writeUInt32BE(0xffffffff, 16))],
	["a header longer than its cluster", broken((bytes) => bytes.writeUInt32BE(0xffffffff, 100))],
	["an endless extension", broken((bytes) => bytes.writeUInt32BE(0xffffffff, 108))],
];
for (const [what, bytes] of HOSTILE) {
	test(`parseQcow2Header › says in words that it cannot read ${what}`, (t) => {
		t.regex(String(headerOf(bytes)), /^(is|has) /);
	});
}

test("parseQcow2Header › agrees with qemu-img", async (t) => {
	const directory = await temporaryDirectory(t);
	const make = async (name: string, ...args: readonly string[]) => {
		execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", ...args, name, "48M"], {
			cwd: directory,
		});
		return headerOf((await readFile(join(directory, name))).subarray(0, 65_536));
	};
	t.like(await make("base.qcow2"), { version: 3, virtualSize: BigInt(48 << 20), backing: null });
	const over = ["-F", "qcow2", "-b", "base.qcow2"];
	const backing = { backing: "base.qcow2", backingFormat: "qcow2", dataFile: false };
	t.like(await make("over.qcow2", ...over), backing);
	t.like(await make("extended.qcow2", "-o", "extended_l2=on", ...over), backing);
	t.like(await make("old.qcow2", "-o", "compat=0.10", ...over), { ...backing, version: 2 });
	t.like(await make("small.qcow2", "-o", "cluster_size=512", ...over), backing);
	t.like(await make("apart.qcow2", "-o", "data_file=apart.raw"), { dataFile: true });
});
