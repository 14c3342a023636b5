// The VMs of this host, also while libvirt does not answer: then as they were last seen, with the time of that and the reason.
import { asKnibError, type KnibError, type VmInventory, type VmView } from "@knib/core";
import type { ApiDeps } from "./context.ts";
import { listVms, viewVm } from "./vm-views.ts";

type Deps = Pick<ApiDeps, "books" | "hypervisor" | "images" | "host" | "now">;

/** What of a VM only libvirt can tell, and when it last did. */
type Seen = Pick<VmView, "uuid" | "name" | "state" | "disks"> & { readonly asOf: string | null };

/** Faults of libvirt; whatever else goes wrong is told as it is. */
const FAULTS: ReadonlySet<string> = new Set(["LIBVIRT_UNREACHABLE", "COMMAND_FAILED", "DEADLINE"]);

/** Whether an error says that libvirt, and not knib, has failed. */
export const isFaultOfLibvirt = ({ code }: KnibError): boolean => FAULTS.has(code);

/** The inventory of this host. */
export const createInventory = (deps: Deps) => {
	const { books, host } = deps;
	let last: readonly Seen[] | undefined;

	/** All VMs as they are; rejects where libvirt fails. */
	const live = async (): Promise<readonly VmView[]> => {
		const views = await listVms(deps);
		const asOf = deps.now();
		last = views.map(({ uuid, name, state, disks }) => ({ uuid, name, state, disks, asOf }));
		return views;
	};

	/** What an earlier life of knibd has seen, and the VMs whose backups this host has taken. */
	const remembered = async (): Promise<readonly Seen[]> => {
		const told: readonly Seen[] = (await books.vms.seen()).map(({ seen, at }) => ({
			...seen,
			asOf: at,
		}));
		const past = new Map<string, Seen>();
		for (const { vm, host: by, pointInTime, createdAt } of await books.backups.list({
			all: true,
		})) {
			const asOf = pointInTime ?? createdAt;
			if (by === host.name) past.set(vm.uuid, { ...vm, state: "unknown", disks: [], asOf });
		}
		for (const { uuid } of told) past.delete(uuid);
		return [...told, ...past.values()];
	};

	/** All known VMs by name, without a word from libvirt. */
	const known = async (): Promise<readonly VmView[]> => {
		const views = (last ?? (await remembered())).map(async ({ asOf, state, disks, ...vm }) => {
			const view = await viewVm(deps, { ...vm, state, disks: [], managedSave: false });
			return { ...view, disks, asOf };
		});
		return (await Promise.all(views)).sort((a, b) => (a.name < b.name ? -1 : 1));
	};

	return {
		live,
		known,
		/** All VMs, as they are or as they were last seen; the warnings say which. */
		all: async (): Promise<VmInventory> => {
			try {
				return { vms: await live(), warnings: [] };
			} catch (thrown) {
				const error = asKnibError(thrown);
				if (!isFaultOfLibvirt(error)) throw error;
				const warning = `the VMs of ${host.name} are shown as they were last seen: ${error.message}`;
				return { vms: await known(), warnings: [warning] };
			}
		},
	};
};
export type Inventory = ReturnType<typeof createInventory>;
