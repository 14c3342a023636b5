// Long lists over the control socket: parts of what a whole list has, newest first, and VMs whose history is read once.
import { connect } from "@knib/host-daemon/client";
import test from "ava";
import { apiWorld } from "../support/api-world.ts";
import { showBackups, showVms } from "../support/show/facts.ts";

const world = async (count: number) => {
	const vms = showVms(2, false);
	const served = await apiWorld({ vms });
	const added = { name: "main", path: "/srv/backups", default: true, dryRun: false };
	await (await served.books.repositoryChanges.add(added)).apply();
	const [repository] = await served.books.catalog.repositories();
	const place = { repository: "main", repositoryId: repository?.id ?? "", now: 1_767_322_800_000 };
	const { backups, chains } = showBackups(place, vms, count);
	await served.documents.backups.put(...backups);
	await served.documents.chains.put(...chains);
	const client = await connect({ socket: served.socket });
	const close = async () => {
		await client.close();
		await served.close();
	};
	return { api: client.api, vms, backups, close };
};

test("backup page › parts make up the whole list, newest first, with the highest proof of each", async (t) => {
	const { api, backups, close } = await world(20);
	const first = await api.backup.page.query({ limit: 15 });
	const second = await api.backup.page.query({ limit: 15, after: first.next ?? "" });
	t.is(second.next, null);
	const all = [...first.backups, ...second.backups];
	t.deepEqual(
		all.map(({ id }) => id),
		backups.map(({ id }) => id).toReversed(),
	);
	const proven = all.find(({ id }) => backups.some((one) => one.id === id && one.proof.length > 1));
	t.is(proven?.proof?.level, "answered");
	await close();
});

test("backup page › of one VM has only its backups, and the VM's view its last ones", async (t) => {
	const { api, vms, backups, close } = await world(20);
	const [vm] = vms;
	const page = await api.backup.page.query({ vm: vm?.uuid ?? "" });
	const own = backups.filter((one) => one.vm.uuid === vm?.uuid);
	t.is(page.backups.length, own.length);
	const shown = (await api.vm.list.query()).find((one) => one.uuid === vm?.uuid);
	t.is(shown?.lastBackup?.id, own.at(-1)?.id);
	await close();
});
