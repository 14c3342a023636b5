import { type FileFacts, fileDiffers } from "@knib/core";
import test from "ava";
import { aFile } from "../../support/builders/facts.ts";

const then = aFile("/vm/a.qcow2");

const same = test.macro<[Partial<FileFacts>, Partial<FileFacts>?]>({
	exec: (t, now, recorded = {}) => {
		t.is(fileDiffers({ ...then, ...now }, { ...then, ...recorded }), undefined);
	},
	title: (name) => `fileDiffers › accepts ${name}`,
});

const differs = test.macro<[Partial<FileFacts>, RegExp]>({
	exec: (t, now, words) => {
		t.regex(fileDiffers({ ...then, ...now }, then) ?? "the same", words);
	},
	title: (name) => `fileDiffers › notices ${name}`,
});

test("an untouched file", same, {});
test("a new owner, the extents where they were", same, { uid: 64055, ctime: "2000" });
test("a change of owner and back", same, { ctime: "2000" });

test("a write", differs, { mtime: "2000", ctime: "2000" }, /was written/);
test("a replaced file", differs, { inode: "other" }, /another file/);
test(
	"a copy over the same inode that kept the times",
	differs,
	{ ctime: "2000", extentsDigest: "cd".repeat(32) },
	/ctime/,
);
test("a changed header", differs, { headerDigest: "cd".repeat(32) }, /header/);
test("another size", differs, { size: 1 }, /size/);

test("fileDiffers › trusts no moved ctime where extents cannot be read and the owner is the same", (t) => {
	const { extentsDigest: _a, ...blind } = then;
	t.regex(fileDiffers({ ...blind, ctime: "2000" }, blind) ?? "the same", /ctime/);
});
