// The hook that libvirt runs before it starts a VM. It needs a shell, awk and stat, and neither knibd nor Node: it guards the disks while
// knib is stopped, removed or broken. What it cannot tell it lets through.
import { indexDirectory } from "./overlay-index.ts";

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The script; `stateDir` is absolute. */
export const hookScript = (stateDir: string): string => `#!/bin/sh
# Written by \`knib init\`; \`knib doctor\` checks it. libvirt runs it before it starts a VM, with the definition on its input.
# It refuses a VM whose disk lies below an overlay of knib's: such a start would show an old state of the disk, and what the
# guest wrote would be lost. To do without it, remove this file.
[ "$2" = prepare ] || exit 0
index=${quoted(indexDirectory(stateDir))}
[ -d "$index" ] || exit 0
tab=$(printf '\\t')
sources=$(awk '
	/<(backingStore|mirror)[ >]/ && !/\\/>/ { inside++ }
	/<\\/(backingStore|mirror)>/ { inside-- }
	/<disk[ >]/ { disk = 1; inside = 0 }
	/<\\/disk>/ { disk = 0 }
	disk && !inside && /<source / && match($0, / (file|dev)=\\047[^\\047]*\\047/) {
		path = substr($0, RSTART, RLENGTH)
		sub(/^[^\\047]*\\047/, "", path)
		sub(/\\047$/, "", path)
		gsub(/&apos;/, "\\047", path)
		gsub(/&quot;/, "\\"", path)
		gsub(/&lt;/, "<", path)
		gsub(/&gt;/, ">", path)
		gsub(/&amp;/, "\\\\&", path)
		print path
	}
') || exit 0
printf '%s\\n' "$sources" | while IFS= read -r source; do
	[ -e "$source" ] || continue
	for file in "$index"/*; do
		[ -f "$file" ] || continue
		while IFS=$tab read -r base mark overlay vm; do
			[ "$base" -ef "$source" ] && [ -e "$overlay" ] || continue
			[ "$mark" = - ] || [ "$mark" = "$(stat -L -c %i:%.9Y "$base")" ] || continue
			{
				echo "knib: $source lies below $overlay, which holds what VM $vm wrote since; started without it, that would be lost."
				echo "Start VM $vm as libvirt has it, or put the overlay into the disk first: knib chain finish $vm."
				echo "To give up what the overlay holds, move it away."
			} >&2
			exit 1
		done <"$file" || exit 1
	done
done
`;
