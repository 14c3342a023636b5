import type { CatalogDocuments } from "../../apps/host-daemon/src/catalog/create-catalog.ts";
import type { Documents } from "../../apps/host-daemon/src/catalog/documents.ts";

/** Documents in memory: what is read is a copy, as from a store. */
export const memoryDocuments = <T extends { readonly id: string }>(): Documents<T> => {
	const held = new Map<string, T>();
	return {
		all: async () => [...held.values()].map((body) => structuredClone(body)),
		foreign: async () => [],
		get: async (id) => structuredClone(held.get(id)),
		put: async (...bodies) => {
			for (const body of bodies) held.set(body.id, structuredClone(body));
		},
		remove: async (ids) => {
			for (const id of ids) held.delete(id);
		},
	};
};

/** Empty documents of every kind of the catalog. */
export const memoryCatalogDocuments = (): CatalogDocuments => ({
	offerings: memoryDocuments(),
	schedules: memoryDocuments(),
	selectors: memoryDocuments(),
	vms: memoryDocuments(),
	settings: memoryDocuments(),
	repositories: memoryDocuments(),
	hosts: memoryDocuments(),
	chains: memoryDocuments(),
	backups: memoryDocuments(),
	alerts: memoryDocuments(),
});
