import { isRefusal, readableDisk } from "@knib/core";
import test from "ava";
import { aManifest } from "../../support/builders/manifest.ts";
import { foundIn, published } from "../../support/builders/restore.ts";

const OFFERING = { id: "0196f000-0000-7000-8000-00000000f001", name: "standard" };
const backup = (allowed: boolean, marks: Parameters<typeof published>[1] = {}) => {
	const disks = [{ target: "vda", virtualSize: 1 << 20 }];
	const offering = { ...OFFERING, allowExtractFile: allowed };
	return published(aManifest({ identity: { disks }, offering }), marks);
};
const view = (status: "BackedUp" | "Failed") => ({
	id: "b",
	vm: { uuid: "u", name: "web" },
	status,
});
const codeOf = (...args: Parameters<typeof readableDisk>): string | undefined => {
	const answer = readableDisk(...args);
	return isRefusal(answer) ? answer.code : undefined;
};

test("files of a backup › are read where its own offering allows it", (t) => {
	const found = foundIn([backup(true)]);
	const answer = readableDisk({ view: view("BackedUp"), found }, "vda");
	t.false(isRefusal(answer));
	t.is("layers" in answer ? answer.layers[0]?.target : "", "vda");
	t.is(codeOf({ view: view("BackedUp"), found: foundIn([backup(false)]) }, "vda"), "REFUSED");
});

test("files of a backup › are refused for one that is no restore point, is gone, or cannot be trusted", (t) => {
	const removed = backup(true, {
		removed: { at: "2026-01-02T03:04:05.000Z", by: "host" } as never,
	});
	t.is(codeOf({ view: view("BackedUp"), found: foundIn([removed]) }, "vda"), "REFUSED");
	t.is(codeOf({ view: view("Failed"), found: foundIn([backup(true)]) }, "vda"), "REFUSED");
	t.is(codeOf({ view: view("BackedUp"), found: null }, "vda"), "NOT_FOUND");
	t.is(codeOf({ view: view("BackedUp"), found: foundIn([backup(true)]) }, "vdz"), "NOT_FOUND");
	const damaged = foundIn([backup(true)], { layerProblems: ["vda.qcow2 has another header"] });
	t.is(codeOf({ view: view("BackedUp"), found: damaged }, "vda"), "VERIFY_FAILED");
});
