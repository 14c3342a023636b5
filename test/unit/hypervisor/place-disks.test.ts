import { KnibError } from "@knib/core";
import test from "ava";
import {
	attachedDisk,
	diskXml,
	placeDisks,
	withoutChain,
} from "../../../apps/host-daemon/src/hypervisor/place-disks.ts";
import { fromVirsh } from "./recorded.ts";

const filesOf = (xml: string, target: string): readonly string[] =>
	[...(diskXml(xml, target) ?? "").matchAll(/file="([^"]*)"/g)].map((one) => one[1] ?? "");

const chained = fromVirsh("dumpxml-chain-inactive.xml");

test("placeDisks › puts a disk on a file, without the chain that was stored", (t) => {
	const placed = placeDisks(chained, [{ target: "vda", path: "/srv/new.qcow2", format: "raw" }]);
	t.deepEqual(filesOf(placed, "vda"), ["/srv/new.qcow2"]);
	t.regex(diskXml(placed, "vda") ?? "", /<driver [^>]*type="raw"/);
	t.is(diskXml(placed, "vdb"), diskXml(chained, "vdb"));
});

test("placeDisks › goes back to exactly the disk that was", (t) => {
	const placed = placeDisks(chained, [{ target: "vda", path: "/srv/new.qcow2", format: "raw" }]);
	const back = placeDisks(placed, [{ target: "vda", disk: diskXml(chained, "vda") ?? "" }]);
	t.deepEqual(filesOf(back, "vda"), filesOf(chained, "vda"));
});

test("placeDisks › adds a disk that was lost and takes it away again", (t) => {
	const file = { path: "/srv/b.qcow2", format: "qcow2" };
	const before = diskXml(chained, "vdb") ?? "";
	t.notRegex(attachedDisk(before, { ...file, domain: chained }), /<address|<alias/);
	const without = placeDisks(chained, [{ target: "vdb", gone: true }]);
	const saved = attachedDisk(before, { ...file, domain: without });
	t.is(/<address[^>]*>/.exec(saved)?.[0], /<address[^>]*>/.exec(before)?.[0]);
	t.is(diskXml(without, "vdb"), undefined);
	const added = placeDisks(without, [{ target: "vdb", disk: saved }]);
	t.deepEqual(filesOf(added, "vdb"), ["/srv/b.qcow2"]);
	t.throws(() => placeDisks(without, [{ target: "vdb", path: "/x", format: "raw" }]), {
		instanceOf: KnibError,
		code: "NOT_FOUND",
	});
});

test("withoutChain › keeps source and target", (t) => {
	const disk = withoutChain(diskXml(chained, "vda") ?? "");
	t.notRegex(disk, /backingStore/);
	t.regex(disk, /<source /);
});
