// Which symbolic links may be made among extracted files. Pure.

/** Whether a link, `depth` directories below the top of what is extracted, cannot lead out of it, whatever else is extracted there. Steps up come first only: behind another name, which may be a link itself, they could lead anywhere. */
export const staysInside = (target: string, depth: number): boolean => {
	if (target === "" || target.startsWith("/") || target.includes("\0")) return false;
	const parts = target.split("/").filter((part) => part !== "" && part !== ".");
	const ups = parts.findIndex((part) => part !== "..");
	const leading = ups === -1 ? parts.length : ups;
	return leading <= depth && !parts.slice(leading).includes("..");
};
