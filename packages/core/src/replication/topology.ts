// Whom a host keeps links to. Few hosts: everybody. Many: the neighbours on a few rings, on which all hosts stand in different orders.

/** Up to so many hosts everybody is linked with everybody. */
export const FULL_MESH_HOSTS = 16;

/** Rings of a larger mesh; a host keeps at most two peers on each. */
export const MESH_RINGS = 4;

/** Most peers that a host keeps in a larger mesh. */
export const MOST_KEPT = 2 * MESH_RINGS;

/** Where a host stands on a ring: ids are hashes, so that each part of one orders the hosts differently. */
const placeOn = (ring: number, id: string): string => {
	const cut = Math.floor((id.length * ring) / MESH_RINGS);
	return id.slice(cut) + id.slice(0, cut);
};

const neighbours = (ring: number, self: string, hosts: readonly string[]): readonly string[] => {
	const places = hosts
		.map((id) => ({ id, place: placeOn(ring, id) }))
		.sort((a, b) => (a.place < b.place ? -1 : 1));
	const at = places.findIndex(({ id }) => id === self);
	const [before, after] = [places.at(at - 1), places[(at + 1) % places.length]];
	return [before, after].flatMap((one) => (one === undefined ? [] : [one.id]));
};

/**
 * The peers that a host keeps links to, among all hosts of the mesh. With nobody out of reach both ends of a link choose each other, and
 * each ring alone connects all. Hosts that cannot be reached are stepped over on every ring, so that others stand in for them.
 */
export const keptPeers = (
	self: string,
	hosts: readonly string[],
	unreached: ReadonlySet<string> = new Set(),
): ReadonlySet<string> => {
	const all = [...new Set([...hosts, self])];
	if (all.length <= FULL_MESH_HOSTS) return new Set(all.filter((id) => id !== self));
	const standing = all.filter((id) => id === self || !unreached.has(id));
	const rings = Array.from({ length: MESH_RINGS }, (_, ring) => neighbours(ring, self, standing));
	return new Set(rings.flat().filter((id) => id !== self));
};
