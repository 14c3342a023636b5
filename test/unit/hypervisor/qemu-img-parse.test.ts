import { KnibError } from "@knib/core";
import test from "ava";
import {
	parseCompare,
	parseInfo,
	parseMap,
	parseProgress,
} from "../../../apps/host-daemon/src/hypervisor/qemu-img-parse.ts";
import { fromQemuImg } from "./recorded.ts";

const info = (name: string) => parseInfo("/srv/vms/x.qcow2", fromQemuImg(`info-${name}.json`));
const unreadable = { instanceOf: KnibError, code: "COMMAND_FAILED" };

test("parseInfo › reads an overlay and resolves its relative backing name", (t) => {
	t.like(info("overlay"), {
		path: "/srv/vms/x.qcow2",
		format: "qcow2",
		virtualSize: 64 * 1024 * 1024,
		backing: { path: "/srv/vms/web-base.qcow2", format: "qcow2" },
		snapshots: [],
		clusterSize: 65_536,
		compat: "1.1",
		compressionType: "zlib",
		extendedL2: true,
		encrypted: false,
		dirty: false,
		corrupt: false,
	});
});

test("parseInfo › names snapshots inside an image and its compression", (t) => {
	t.like(info("snapshots"), { snapshots: ["before update"], compressionType: "zstd" });
});

test("parseInfo › reads raw files and block devices", (t) => {
	t.like(info("raw"), { format: "raw", virtualSize: 16 * 1024 * 1024, backing: undefined });
	t.like(info("block"), { format: "raw", virtualSize: 32 * 1024 * 1024, actualSize: 0 });
});

test("parseInfo › tells old, encrypted and split images", (t) => {
	t.like(info("old"), { compat: "0.10", extendedL2: false });
	t.true(info("encrypted").encrypted);
	t.is(info("data-file").dataFile, "/srv/vms/data.raw");
});

test("parseInfo › leaves a backing name with a protocol as it is", (t) => {
	t.is(info("json-backing").backing?.path, '{"driver":"nbd","host":"evil"}'.replace(/^/, "json:"));
	t.is(info("nbd-backing").backing?.path, "nbd://evil/x");
});

test("parseInfo › shows a backing file whose format the header does not say", (t) => {
	t.deepEqual(info("no-format").backing, { path: "/srv/vms/web-base.qcow2" });
});

test("parseInfo › refuses what it cannot read", (t) => {
	t.throws(() => parseInfo("/x", ""), unreadable);
	t.throws(() => parseInfo("/x", "{}"), unreadable);
	t.throws(() => parseInfo("/x", '{"format":"raw","virtual-size":"1"}'), unreadable);
});

test("parseMap › reads extents of data, zeroes and what lies below", (t) => {
	const extents = parseMap(fromQemuImg("map.json"));
	t.deepEqual(extents[1], {
		start: 1_048_576,
		length: 1_048_576,
		depth: 0,
		present: true,
		zero: false,
		data: true,
	});
	t.like(extents[3], { depth: 0, present: true, zero: true, data: false });
	t.like(extents[0], { depth: 1, present: false });
	t.throws(() => parseMap("["), unreadable);
});

test("parseMap › works out what is present where qemu before 6.1 does not say", (t) => {
	const text = `[{"start":0,"length":1,"depth":0,"zero":false,"data":true},{"start":1,"length":1,"depth":1,"zero":true,"data":false}]`;
	t.deepEqual(
		parseMap(text).map((extent) => extent.present),
		[true, false],
	);
});

test("parseProgress › takes the last fraction", (t) => {
	t.is(parseProgress(fromQemuImg("progress.txt")), 1);
	t.is(parseProgress("    (12.34/100%)\r"), 0.1234);
	t.is(parseProgress("nothing"), undefined);
});

test("parseCompare › says what differs without the progress", (t) => {
	t.is(parseCompare(fromQemuImg("compare-differ.txt")), "Content mismatch at offset 9437184!");
	t.is(parseCompare(fromQemuImg("compare-same.txt")), "Images are identical.");
});
