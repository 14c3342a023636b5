import { KnibError } from "@knib/core";
import test from "ava";
import {
	isPlainBackingName,
	resolveBacking,
} from "../../../apps/host-daemon/src/hypervisor/image-path.ts";
import {
	qemuImgArgv,
	topOnlyName,
} from "../../../apps/host-daemon/src/hypervisor/qemu-img-argv.ts";

const source = { path: "/s.qcow2", format: "qcow2" };
const target = { path: "/t.qcow2", format: "qcow2" } as const;

test("convert › copies without the page cache, in many coroutines, out of order", (t) => {
	t.deepEqual(qemuImgArgv.convert({ source, target, direct: true }), [
		..."qemu-img convert -p -f qcow2 -O qcow2 -T none -t none -m 8 -W".split(" "),
		..."-o cluster_size=64k /s.qcow2 /t.qcow2".split(" "),
	]);
});

test("convert › takes a backing file, sub-clusters, compression, a rate and at most 16 coroutines", (t) => {
	const argv = qemuImgArgv.convert({
		source,
		target: { ...target, extendedL2: true, compression: "zstd" },
		backing: { path: "/p.qcow2", format: "qcow2" },
		rate: 1000,
		coroutines: 99,
		direct: false,
	});
	t.deepEqual(argv, [
		..."qemu-img convert -p -f qcow2 -O qcow2 -T writeback -t writeback -m 16 -W -r 1000".split(
			" ",
		),
		..."-B /p.qcow2 -F qcow2 -c".split(" "),
		..."-o cluster_size=64k,extended_l2=on,compression_type=zstd /s.qcow2 /t.qcow2".split(" "),
	]);
});

test("convert › gives a raw target no options of qcow2", (t) => {
	const argv = qemuImgArgv.convert({ source, target: { path: "/t", format: "raw" }, direct: true });
	t.false(argv.includes("-o"));
});

for (const path of ["-x", "nbd:x", "a.qcow2", "json:{}", "", "/a\0b"]) {
	test(`argv › refuses ${JSON.stringify(path)}, which qemu could take for something else`, (t) => {
		const refused = { instanceOf: KnibError, code: "REFUSED" };
		t.throws(() => qemuImgArgv.info({ path, format: "raw" }), refused);
		t.throws(() => qemuImgArgv.probeLock(path), refused);
		t.throws(() => topOnlyName({ path, format: "qcow2" }, "file"), refused);
	});
}

test("topOnlyName › is JSON whatever the path holds", (t) => {
	const path = `/a",b\\{}:'\n`;
	const name = topOnlyName({ path, format: "qcow2" }, "file");
	t.deepEqual(JSON.parse(name.slice("json:".length)), {
		driver: "qcow2",
		backing: null,
		file: { driver: "file", filename: path },
	});
	t.deepEqual(JSON.parse(topOnlyName({ path, format: "raw" }, "block").slice(5)), {
		driver: "raw",
		file: { driver: "host_device", filename: path },
	});
});

test("isPlainBackingName › knows names with a protocol", (t) => {
	for (const plain of ["/a", "a", "../a/b", "/nbd:x", "./nbd:x", "a/b:c"]) {
		t.true(isPlainBackingName(plain), plain);
	}
	for (const other of ["nbd:x", "json:{}", "http://x/y", "file:/a", "", "a:b"]) {
		t.false(isPlainBackingName(other), other);
	}
});

test("resolveBacking › goes by the directory of the image that names it", (t) => {
	t.is(resolveBacking("/a/b/c.qcow2", "../d.qcow2"), "/a/d.qcow2");
	t.is(resolveBacking("/a/b/c.qcow2", "/e.qcow2"), "/e.qcow2");
});
