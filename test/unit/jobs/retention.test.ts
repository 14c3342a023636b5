import {
	type BackupMarks,
	type PublishedBackup,
	retentionLabel,
	scheduleCreateInputSchema,
} from "@knib/core";
import test from "ava";
import { applyRetention, previewRetention } from "../../../apps/host-daemon/src/jobs/retention.ts";
import { aCatalog, createOffering } from "../../support/api-world.ts";
import { anOpenChain, backupId } from "../../support/builders/facts.ts";
import { fakeJobService } from "../../support/fake-job-service.ts";

const AT = "2026-01-02T03:04:09.000Z";
const HERE = { id: "fe".repeat(32), name: "here" } as const;

/** Four backups that stand alone, as the host `host` took them; the default offering keeps the last one. */
const aWorld = async (
	host: { readonly id: string; readonly name: string },
	marksOf: (n: number) => Partial<BackupMarks> = () => ({}),
	offering = "default",
	labelsOf: (n: number) => readonly string[] = () => [],
) => {
	const { books, documents, repositories } = await aCatalog();
	const fake = fakeJobService(() => ({ kind: "succeeds", result: {} }));
	await createOffering(books, { name: "default", retention: { keepLast: 1 } });
	const { chain } = anOpenChain(4, {});
	const members = chain.members.map((member, index): PublishedBackup => {
		const marks = { ...member.marks, ...marksOf(index + 1) };
		const taken = {
			...member.manifest,
			...{ host, offering: { id: backupId(900), name: offering } },
			labels: [...labelsOf(index + 1)],
		};
		return { ...member, marks, manifest: taken };
	});
	const end = { reason: "as the test says", at: AT, host: host.id };
	repositories.add("/repo").chains = [{ ...chain, members, end }];
	const change = { name: "main", path: "/repo", default: false };
	await (await books.repositoryChanges.add(change)).apply();
	const jobs = { start: fake.service.start, list: async () => [] };
	const deps = { books, jobs, now: () => AT, host: HERE };
	const deleted = () =>
		fake.requests.flatMap((one) => (one.type === "DeleteBackup" ? [one.backup] : []));
	return { deps, documents, deleted };
};

test("retention › deletes what no rule keeps of this host's backups", async (t) => {
	const { deps, deleted } = await aWorld(HERE);
	await applyRetention(deps, undefined, "test");
	t.deepEqual(deleted(), [3, 2, 1].map(backupId));
});

test("retention › leaves the backups of another host alone, also after reading their repository", async (t) => {
	const { deps, deleted } = await aWorld({ id: "ab".repeat(32), name: "there" });
	t.deepEqual(await previewRetention(deps, undefined), []);
	await applyRetention(deps, undefined, "test");
	t.deepEqual(deleted(), []);
});

test("retention › does not take a proof that a later check refuted for the best one", async (t) => {
	const proof = (level: "checked" | "booted") => ({ level, at: AT, host: HERE.id, durationMs: 1 });
	const { deps, deleted } = await aWorld(HERE, (n) =>
		n === 4
			? {
					proofs: [proof("booted")],
					validation: { status: "NotValid", message: "vda.qcow2: digest differs", steps: [] },
				}
			: { proofs: [proof("checked")] },
	);
	await applyRetention(deps, undefined, "test");
	t.deepEqual(deleted(), [2, 1].map(backupId));
});

test("retention › judges a backup by the offering that it was taken under, also when that is deleted", async (t) => {
	const { deps, deleted } = await aWorld(HERE, () => ({}), "gold");
	await createOffering(deps.books, { name: "gold", retention: { keepLast: 3 } });
	await (await deps.books.offerings.delete("gold")).apply();
	await applyRetention(deps, undefined, "test");
	t.deepEqual(deleted(), [backupId(1)]);
});

/** The first three of four backups were taken by a schedule while it had rules; the offering keeps the last one. */
const scheduled = async (keepLast: number) => {
	const id = "0196f000-0000-7000-8000-000000000001";
	const labelsOf = (n: number) => (n < 4 ? ["schedule:nightly", retentionLabel(id)] : []);
	const world = await aWorld(HERE, () => ({}), "default", labelsOf);
	const { schedules } = world.deps.books;
	const rules = { cron: "@daily", timezone: "UTC", vm: "*", retention: { keepLast } };
	const input = scheduleCreateInputSchema.parse({ name: "nightly", ...rules });
	const { nextRun: _, ...made } = await (await schedules.create(input)).apply();
	await world.documents.schedules.remove([made.id]);
	await world.documents.schedules.put({ ...made, id });
	return { ...world, schedules };
};

test("retention › what a schedule with rules took is judged by them alone, whatever its name is by then", async (t) => {
	const { deps, deleted, schedules } = await scheduled(2);
	await (await schedules.update("nightly", { name: "every night" })).apply();
	const [view] = await previewRetention(deps, undefined);
	t.deepEqual(
		view?.backups.map(({ schedule, keep }) => [schedule, keep]),
		[
			[null, true],
			["every night", true],
			["every night", true],
			["every night", false],
		],
	);
	await applyRetention(deps, undefined, "test");
	t.deepEqual(deleted(), [backupId(1)]);
});

for (const [title, act] of [
	["is deleted", "delete"],
	["has its rules taken away", "take"],
] as const) {
	test(`retention › nobody else's rules judge what a schedule took when it ${title}`, async (t) => {
		const { deps, deleted, schedules } = await scheduled(1);
		const change =
			act === "delete"
				? await schedules.delete("nightly")
				: await schedules.update("nightly", { retention: null });
		t.regex(change.explain.join(), /what it took under its own/);
		await change.apply();
		await applyRetention(deps, undefined, "test");
		t.deepEqual(deleted(), []);
		const [view] = await previewRetention(deps, undefined);
		t.regex(view?.backups.at(-1)?.reasons.join() ?? "", /schedule .*(not known|keeps everything)/);
	});
}
