// The contract of the repository port: publication, reading back, marks. One suite over the real and the in-memory one.
import { KnibError, type Manifest, type Repository } from "@knib/core";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { aChild, aManifest, MANIFEST_CHAIN, MANIFEST_VM } from "../support/builders/manifest.ts";
import { publishOn, type RepositoryHarness } from "./repository-harness.ts";

export type ContractContext = { harness: RepositoryHarness };
export type ContractTest = TestFn<ContractContext>;
type T = ExecutionContext<ContractContext>;

/** Asserts that a promise rejects with a code and returns the error. */
export const rejectsWith = async (
	t: ExecutionContext<unknown>,
	promise: Promise<unknown>,
	code: string,
): Promise<KnibError> => {
	const error = await t.throwsAsync(promise);
	t.true(error instanceof KnibError, String(error));
	t.is(error instanceof KnibError ? error.code : "", code, error?.message);
	return error instanceof KnibError ? error : new KnibError("INTERNAL", "none");
};

const belongingTo = (repository: Repository, manifest: Manifest): Manifest => ({
	...manifest,
	repository: { id: repository.id, name: repository.name },
});

const first = (t: T, override: Parameters<typeof aManifest>[0] = {}): Manifest =>
	belongingTo(t.context.harness.a.repository, aManifest(override));

const publishing = (test: ContractTest): void => {
	test("publish › makes a backup that chains, find and proveLayers agree on", async (t) => {
		const { a, b } = t.context.harness;
		const manifest = first(t);
		const published = await publishOn(t.context.harness, manifest);
		t.is(published.path, a.repository.pathOf(manifest.identity));
		t.deepEqual(published.manifest, manifest);
		t.deepEqual(await b.repository.vms(), [MANIFEST_VM]);
		const [chain] = await b.repository.chains(MANIFEST_VM);
		t.is(chain?.id, MANIFEST_CHAIN);
		t.deepEqual(chain?.problems, []);
		t.deepEqual(
			chain?.members.map((member) => member.manifest),
			[manifest],
		);
		t.deepEqual((await b.repository.find(manifest.identity.id))?.manifest, manifest);
		t.deepEqual(await b.repository.proveLayers(published), []);
		const digests = await b.repository.digests(published);
		for (const { file, sha256 } of manifest.generation.layers) t.is(digests.get(file), sha256);
	});
	test("publish › is success when the same backup is there already", async (t) => {
		const manifest = first(t);
		await publishOn(t.context.harness, manifest);
		const later = { ...manifest, createdAt: "2026-02-02T00:00:00.000Z" };
		const again = await t.context.harness.a.repository.publish(later);
		t.deepEqual(again.manifest, manifest);
	});
	test("publish › continues a chain", async (t) => {
		const full = first(t);
		const child = aChild(full);
		await publishOn(t.context.harness, full);
		await publishOn(t.context.harness, child);
		await publishOn(t.context.harness, aChild(child));
		const [chain] = await t.context.harness.b.repository.chains(MANIFEST_VM);
		t.deepEqual(chain?.problems, []);
		t.deepEqual(
			chain?.members.map((member) => member.manifest.identity.sequence),
			[1, 2, 3],
		);
	});
	test("publish › refuses a number that another backup has", async (t) => {
		const full = first(t);
		await publishOn(t.context.harness, full);
		await publishOn(t.context.harness, aChild(full));
		const id = "0196f000-0000-7000-8000-0000000000ff";
		const rival = aChild(full, { identity: { id } });
		const error = await rejectsWith(t, publishOn(t.context.harness, rival), "REFUSED");
		t.not(error.details["outcome"], "unknown");
		t.is(await t.context.harness.a.repository.find(id), undefined);
	});
	test("publish › refuses a backup whose parent is not there", async (t) => {
		const full = first(t);
		const child = aChild(full);
		await publishOn(t.context.harness, full);
		await rejectsWith(t, publishOn(t.context.harness, aChild(child)), "REFUSED");
		const other = { ...full, identityDigest: "00".repeat(32) };
		await rejectsWith(t, publishOn(t.context.harness, aChild(other)), "REFUSED");
	});
	test("publish › rejects without files, and with an identity that does not fit its digest", async (t) => {
		const { repository } = t.context.harness.a;
		await rejectsWith(t, repository.publish(first(t)), "VERIFY_FAILED");
		const forged = first(t, { identityDigest: "00".repeat(32) });
		await rejectsWith(t, publishOn(t.context.harness, forged), "INTERNAL");
		t.deepEqual(await repository.vms(), []);
	});
	test("publish › is stopped by a lease that another host has taken since", async (t) => {
		const { a, b, clock } = t.context.harness;
		const mine = await a.repository.lease(MANIFEST_VM, "host-a");
		const manifest = first(t, { identity: { fencing: mine.fencing } });
		await rejectsWith(t, b.repository.lease(MANIFEST_VM, "host-b"), "LEASE_HELD");
		clock.advance(60_000);
		await b.repository.lease(MANIFEST_VM, "host-b");
		await rejectsWith(t, publishOn(t.context.harness, manifest), "LEASE_HELD");
		t.deepEqual(await a.repository.vms(), []);
	});
	test("discard › takes an unpublished backup away, again and again, and no published one", async (t) => {
		const { repository } = t.context.harness.a;
		const manifest = first(t);
		await t.context.harness.place(manifest);
		await repository.discard(manifest.identity.id);
		await repository.discard(manifest.identity.id);
		await rejectsWith(t, repository.publish(manifest), "VERIFY_FAILED");
		await publishOn(t.context.harness, manifest);
		await repository.discard(manifest.identity.id);
		t.truthy(await repository.find(manifest.identity.id));
	});
};

const readingBack = (test: ContractTest): void => {
	test("confirm › rejects when a layer is not what was published", async (t) => {
		const manifest = first(t);
		const published = await publishOn(t.context.harness, manifest);
		const { repository } = t.context.harness.b;
		t.deepEqual((await repository.confirm(manifest)).manifest, manifest);
		await t.context.harness.damage(published, "vda.qcow2");
		await rejectsWith(t, repository.confirm(manifest), "VERIFY_FAILED");
		const [problem] = await repository.proveLayers(published);
		t.regex(problem ?? "", /vda\.qcow2 has another header/);
	});
	test("confirm › rejects when nothing was published, or something else", async (t) => {
		const { repository } = t.context.harness.a;
		const manifest = first(t);
		await rejectsWith(t, repository.confirm(manifest), "VERIFY_FAILED");
		await publishOn(t.context.harness, manifest);
		await rejectsWith(t, repository.confirm({ ...manifest, reason: "another" }), "VERIFY_FAILED");
	});
	test("find › knows nothing of an id that is not there", async (t) => {
		const { repository } = t.context.harness.a;
		t.is(await repository.find("0196f000-0000-7000-8000-0000000000ff"), undefined);
		t.is(await repository.find("../../etc/passwd"), undefined);
		t.deepEqual(await repository.chains(MANIFEST_VM), []);
	});
	test("state › tells the path, room and whether it can be written", async (t) => {
		const { repository } = t.context.harness.a;
		const state = await repository.state();
		t.is(state.id, repository.id);
		t.is(state.path, repository.path);
		t.true(state.capacity >= state.free && state.free > 0);
		t.true(state.writable);
	});
	test("chains › come oldest first", async (t) => {
		const { harness } = t.context;
		const chains = ["0196f000-0000-7000-8000-00000000c009", "0196f000-0000-7000-8000-00000000c001"];
		for (const [day, chain] of chains.entries()) {
			const id = `0196f000-0000-7000-8000-0000000000e${day}`;
			const createdAt = `2026-01-0${day + 1}T00:00:00.000Z`;
			await publishOn(harness, first(t, { createdAt, identity: { id, chain } }));
		}
		const read = await harness.b.repository.chains(MANIFEST_VM);
		t.deepEqual(
			read.map((chain) => chain.id),
			chains,
		);
	});
};

const marking = (test: ContractTest): void => {
	test("marks › start fresh, are written one by one and taken away again", async (t) => {
		const { repository } = t.context.harness.a;
		const published = await publishOn(t.context.harness, first(t));
		t.deepEqual(published.marks.removed, null);
		t.is(published.marks.compression.status, "Uncompressed");
		const at = "2026-03-01T00:00:00.000Z";
		const proof = { level: "copied", at, host: "host-a", durationMs: 5 } as const;
		await repository.writeMarks(published, { proofs: [proof], pinned: { at, by: "ann" } });
		await repository.writeMarks(published, { removed: { at, by: "ann" } });
		const marked = await repository.find(published.manifest.identity.id);
		t.deepEqual(marked?.marks, {
			...published.marks,
			proofs: [proof],
			pinned: { at, by: "ann" },
			removed: { at, by: "ann" },
		});
		const steps = [{ step: "boot", ok: true }];
		const validation = { status: "Valid", message: null, steps } as const;
		await repository.writeMarks(published, { removed: null, validation: { ...validation, steps } });
		const undone = await repository.find(published.manifest.identity.id);
		t.is(undone?.marks.removed, null);
		t.deepEqual(undone?.marks.validation, { ...validation, steps });
	});
	test("endChain › keeps the first reason", async (t) => {
		const { repository } = t.context.harness.a;
		await publishOn(t.context.harness, first(t));
		const end = { reason: "chain finish", at: "2026-03-01T00:00:00.000Z", host: "host-a" };
		await repository.endChain(MANIFEST_VM, MANIFEST_CHAIN, end);
		await repository.endChain(MANIFEST_VM, MANIFEST_CHAIN, { ...end, reason: "another" });
		t.deepEqual((await repository.chains(MANIFEST_VM))[0]?.end, end);
	});
	test("writeTracker › keeps the newest facts, and wants a chain", async (t) => {
		const { repository } = t.context.harness.a;
		const manifest = first(t);
		const facts = {
			format: 1,
			backup: manifest.identity.id,
			identityDigest: manifest.identityDigest,
			host: "host-a",
			recordedAt: "2026-03-01T00:00:00.000Z",
			disks: [],
		} as const;
		const write = (run: string) =>
			repository.writeTracker(MANIFEST_VM, MANIFEST_CHAIN, { ...facts, run, disks: [] });
		await rejectsWith(t, write("1"), "NOT_FOUND");
		await publishOn(t.context.harness, manifest);
		await write("1");
		await write("2");
		t.is((await repository.chains(MANIFEST_VM))[0]?.tracker?.run, "2");
	});
	test("moveToTrash › takes the newest member only, and none that is held", async (t) => {
		const { repository } = t.context.harness.a;
		const full = first(t);
		const parent = await publishOn(t.context.harness, full);
		const child = await publishOn(t.context.harness, aChild(full));
		await rejectsWith(t, repository.moveToTrash(parent), "REFUSED");
		const holder = { host: "host-b", job: "j1", why: "restore" };
		const hold = await repository.hold(MANIFEST_VM, MANIFEST_CHAIN, holder);
		await rejectsWith(t, repository.moveToTrash(child), "BACKUP_BUSY");
		await hold.release();
		const to = await repository.moveToTrash(child);
		t.true(to.startsWith(`${repository.path}/trash/`));
		t.true(to.endsWith(`-${child.manifest.identity.id}`));
		t.is(await repository.find(child.manifest.identity.id), undefined);
		await repository.moveToTrash(parent);
		t.deepEqual(await repository.vms(), []);
	});
};

/** Declares the contract's tests; each gets a harness of its own. */
export const repositoryContract = (open: () => Promise<RepositoryHarness>): ContractTest => {
	const test = anyTest as ContractTest;
	test.beforeEach(async (t) => {
		t.context.harness = await open();
	});
	test.afterEach.always(async (t) => {
		await t.context.harness.close();
	});
	publishing(test);
	readingBack(test);
	marking(test);
	return test;
};
