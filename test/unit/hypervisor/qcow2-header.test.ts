import test from "ava";
import { digestExtents } from "../../../apps/host-daemon/src/hypervisor/image-facts.ts";
import { readQcow2Links } from "../../../apps/host-daemon/src/hypervisor/qcow2-header.ts";
import { fromFilefrag, imageHeader } from "./recorded.ts";

test("readQcow2Links › reads a relative backing name and its format", (t) => {
	t.deepEqual(readQcow2Links("/srv/x/y.qcow2", imageHeader("overlay")), {
		backing: "/srv/x/web-base.qcow2",
		backingFormat: "qcow2",
		dataFile: null,
	});
});

test("readQcow2Links › reads version 2, and a data file", (t) => {
	const none = { backing: null, backingFormat: null, dataFile: null };
	t.deepEqual(readQcow2Links("/x", imageHeader("old")), none);
	t.deepEqual(readQcow2Links("/x", imageHeader("data-file")), {
		...none,
		dataFile: "/srv/vms/data.raw",
	});
});

test("readQcow2Links › shows a name with a protocol, and the file that one means", (t) => {
	const header = imageHeader("json-backing");
	t.is(readQcow2Links("/x", header)?.backing, 'json:{"driver":"nbd","host":"evil"}');
	const name = 'json:{"driver":"nbd","host":"evil"}';
	const at = header.indexOf(name);
	const meant = Buffer.from(header);
	meant.write('json:{"file.filename":"/v.raw"}    ', at);
	t.is(readQcow2Links("/x", meant)?.backing, "/v.raw");
});

test("readQcow2Links › takes nothing from other files, short ones and nonsense", (t) => {
	t.is(readQcow2Links("/x", Buffer.alloc(0)), undefined);
	t.is(readQcow2Links("/x", Buffer.alloc(4096)), undefined);
	const nonsense = Buffer.from(imageHeader("overlay"));
	nonsense.fill(0xff, 8, 20);
	t.is(readQcow2Links("/x", nonsense)?.backing, null);
});

test("digestExtents › depends on where the data lies, and on nothing else", (t) => {
	const text = fromFilefrag();
	const { digest, unsettled } = digestExtents(text);
	t.regex(digest, /^[0-9a-f]{64}$/);
	t.false(unsettled);
	t.is(digestExtents(text.replaceAll("over.qcow2", "other name")).digest, digest);
	t.not(digestExtents(text.replace("13238848", "13238849")).digest, digest);
	t.true(digestExtents(text.replace("last,eof", "last,unknown_loc,delalloc,eof")).unsettled);
});
