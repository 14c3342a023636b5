import { isRefusal, planRestoreNew, type Refusal, type RestoreFacts } from "@knib/core";
import test from "ava";
import { aChild, aLayer, aManifest } from "../../support/builders/manifest.ts";
import {
	aDefinition,
	foundIn,
	NEW_VM,
	published,
	restoreFacts,
	threeBackups,
} from "../../support/builders/restore.ts";

const refused = (facts: RestoreFacts): Refusal => {
	const plan = planRestoreNew(facts);
	if (!isRefusal(plan)) throw new Error("it was planned");
	return plan;
};

for (const status of ["Failed", "Unconfirmed", "Removed", "Expunged", "BackingUp"] as const) {
	test(`planRestoreNew › refuses a backup that is ${status}`, (t) => {
		const refusal = refused(restoreFacts({ view: { status } }));
		t.is(refusal.code, "REFUSED");
		t.true(refusal.message.includes(status));
	});
}

test("planRestoreNew › believes the repository's mark of removal over the view", (t) => {
	const [first, second, third] = threeBackups();
	const removed = { at: "2026-01-02T03:04:05.000Z", by: "root" };
	const gone = published(third.manifest, { removed });
	t.is(refused(restoreFacts({ found: foundIn([first, second, gone]) })).code, "REFUSED");
});

test("planRestoreNew › says when no repository holds the backup", (t) => {
	t.is(refused(restoreFacts({ found: null })).code, "NOT_FOUND");
});

test("planRestoreNew › names layers that are not what was published", (t) => {
	const layerProblems = ["/repo/x/vda.qcow2 is 12 bytes long, not 13"];
	const refusal = refused(restoreFacts({ found: foundIn(threeBackups(), { layerProblems }) }));
	t.is(refusal.code, "VERIFY_FAILED");
	t.true(refusal.message.includes("vda.qcow2 is 12 bytes"));
});

test("planRestoreNew › refuses when a parent is missing from the chain", (t) => {
	const [first, , third] = threeBackups();
	const refusal = refused(restoreFacts({ found: foundIn([first, third]) }));
	t.is(refusal.code, "VERIFY_FAILED");
	t.true(refusal.message.includes("parent"));
});

test("planRestoreNew › refuses a layer that stands on another file than its parent's", (t) => {
	const first = aManifest();
	const second = aChild(first, {
		generation: {
			number: 1,
			publishedAt: "2026-01-02T03:04:05.000Z",
			layers: [aLayer({ backing: "../../../../etc/shadow" })],
		},
	});
	const found = foundIn([published(first), published(second)]);
	const refusal = refused(restoreFacts({ found }));
	t.is(refusal.code, "VERIFY_FAILED");
	t.true(refusal.message.includes("/etc/shadow"));
});

test("planRestoreNew › refuses a definition that cannot be used", (t) => {
	const refusal = refused(restoreFacts({ definition: null, definitionProblem: "it is no domain" }));
	t.is(refusal.code, "VERIFY_FAILED");
});

test("planRestoreNew › refuses a name that a VM has, or that is no name", (t) => {
	const vms = [{ uuid: NEW_VM.replace("aa", "ab"), name: "copy" }];
	t.is(refused(restoreFacts({ vms })).code, "EXISTS");
	t.is(refused(restoreFacts({ request: { name: ".." } })).code, "USAGE");
	t.is(refused(restoreFacts({ request: { name: " copy" } })).code, "USAGE");
});

test("planRestoreNew › refuses missing networks and says how to map them", (t) => {
	const networks = [
		{ kind: "network", name: "prod" },
		{ kind: "bridge", name: "br0" },
	] as const;
	const definition = aDefinition({ sourceNetworks: networks, networks });
	const refusal = refused(restoreFacts({ definition }));
	t.is(refusal.code, "REFUSED");
	t.true(refusal.message.includes("network prod"));
	t.false(refusal.message.includes("br0"));
	t.regex(String(refusal.details["hint"]), /--network prod=B.*default, br0/);
});

test("planRestoreNew › names the source's network when its mapping leads nowhere", (t) => {
	const definition = aDefinition({ networks: [{ kind: "network", name: "nowhere" }] });
	const refusal = refused(
		restoreFacts({ definition, request: { networks: { default: "nowhere" } } }),
	);
	t.regex(String(refusal.details["hint"]), /--network default=B/);
});

test("planRestoreNew › refuses to map a network that the VM does not have", (t) => {
	const refusal = refused(restoreFacts({ request: { networks: { lan: "default" } } }));
	t.is(refusal.code, "USAGE");
	t.true(refusal.message.includes("default"));
});

test("planRestoreNew › refuses a directory that cannot be used", (t) => {
	t.is(refused(restoreFacts({ storage: { problem: "ENOENT" } })).code, "REFUSED");
	t.is(refused(restoreFacts({ storage: { writable: false } })).code, "REFUSED");
});

test("planRestoreNew › never overwrites a file", (t) => {
	const refusal = refused(restoreFacts({ storage: { taken: ["/vm/copy-vda.qcow2"] } }));
	t.is(refusal.code, "EXISTS");
	t.true(refusal.message.includes("/vm/copy-vda.qcow2"));
});

test("planRestoreNew › refuses before anything is written when the disks do not fit", (t) => {
	const refusal = refused(restoreFacts({ storage: { free: 1000 } }));
	t.is(refusal.code, "STORAGE_NO_SPACE");
	t.is(refusal.details["free"], 1000);
});

test("planRestoreNew › refuses to start a VM whose firmware is not here", (t) => {
	const definition = aDefinition({ firmware: "/usr/share/OVMF/OVMF_CODE_4M.fd" });
	const facts = { definition, firmwareThere: false };
	t.is(refused(restoreFacts({ ...facts, request: { start: true } })).code, "REFUSED");
});

test("restore new › is refused before anything is written where the host has not the machine or, to be started, the CPU", (t) => {
	const message = (facts: RestoreFacts): string => {
		const plan = planRestoreNew(facts);
		return isRefusal(plan) ? plan.message : "";
	};
	const machine = { cannotDefine: "no machine type pc-q35-99", cannotStart: null };
	t.regex(message(restoreFacts({ host: machine })), /pc-q35-99/);
	const host = { cannotDefine: null, cannotStart: "its CPU model Z cannot be run on this host" };
	t.is(message(restoreFacts({ host })), "");
	t.regex(message(restoreFacts({ host, request: { start: true } })), /CPU model Z/);
});
