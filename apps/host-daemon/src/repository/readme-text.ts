/** Text of a repository's README.txt (SPEC 6.7): a backup restored with qemu-img and virsh alone. Lines that begin with four spaces are
 * commands that work as they stand once the values of step 2 are set; a test runs them. They use GNU sed on what `virsh dumpxml` prints
 * (libvirt 9.0), and no `!` in double quotes, which an interactive bash would replace. */
export const README_TEXT = String.raw`Restoring a virtual machine from this directory without knib
=============================================================

This directory is a knib repository: backups of KVM virtual machines as plain qcow2 images. Every
backup in it can be restored with qemu-img and virsh alone, on any host that can read it. Work as
root in one shell, and keep to the order. The lines that begin with four spaces are the commands.
They change nothing in this directory.

One backup is one directory, vms/<uuid of the VM>/<chain>/<number>-<id of the backup>. It holds
  manifest.json         what it is: VM, point in time, consistency, disks, reason
  vda.qcow2 ...         one image for each disk
  domain-inactive.xml   the definition of the VM; domain.xml is the one it ran with
  nvram  tpm            its UEFI variables and the state of its TPM, if it had any
  SHA256SUMS            checksums of all that

An incremental backup's images stand on those of the backup before it in the same chain, by a
relative name. So leave the directories of a chain side by side; the whole tree can be copied or
mounted anywhere.


Step 1: find the backup. Run this in the directory of this file; a directory with a file
removed.json holds a backup that was deleted and is still needed by later ones.

    for M in vms/*/*/*/manifest.json; do
      echo "$(dirname "$M")" \
        "$(sed -n '/^  "vm": {/,/}/s/.*"name": "\(.*\)".*/\1/p' "$M")" \
        "$(sed -n 's/.*"pointInTime": "\(.*\)".*/\1/p' "$M")"
    done


Step 2: say what is restored, and where. SET THESE FOUR VALUES (no spaces in them):
REPO is the directory of this file, BACKUP a line's first word from step 1, DEST the directory for
the new disks, NAME the name of the new VM, which must not exist yet.

    REPO=/path/of/this/directory
    BACKUP=vms/UUID-OF-THE-VM/CHAIN/0003-ID-OF-THE-BACKUP
    DEST=/var/lib/libvirt/images
    NAME=restored


Step 3: check the backup and those it stands on. Each must be reported as intact.

    cd "$REPO/$BACKUP/.."
    for D in [0-9]*; do
      if (cd "$D" && sha256sum --quiet -c SHA256SUMS); then echo "intact: $D"; else echo "DAMAGED: $D"; fi
      if [ "$D" = "$(basename "$BACKUP")" ]; then break; fi
    done


Step 4: copy the disks out. Each new image is complete and stands on nothing. If a line in capitals
is printed, mend what it says and begin again at step 2.

    cd "$REPO/$BACKUP"
    for L in *.qcow2; do
      T=$(basename "$L" .qcow2)
      if [ -e "$DEST/$NAME-$T.qcow2" ]; then echo "$DEST/$NAME-$T.qcow2 EXISTS"; NAME=CHOOSE-ANOTHER-NAME; break; fi
      qemu-img convert -p -f qcow2 -O qcow2 "$L" "$DEST/$NAME-$T.qcow2" \
        || { rm -f "$DEST/$NAME-$T.qcow2"; echo "COPYING $L HAS FAILED"; break; }
    done
    if [ -e nvram ]; then cp nvram "$DEST/$NAME-nvram.fd"; fi

If only the data is wanted, stop here. If libvirt does not set the owner of disks by itself
(dynamic_ownership = 0 in /etc/libvirt/qemu.conf), give the new files to the user that qemu runs as.


Step 5: make the definition of the new VM. It gets a new name, a new uuid, new MAC addresses and a
new generation id, and its disks point at the new files. To keep the MAC addresses (only if the old
VM is gone) leave out the line with "mac address".

    XML="$DEST/$NAME.xml"
    (umask 077; cp domain-inactive.xml "$XML")
    sed -i -e "s|^  <name>.*</name>|  <name>$NAME</name>|" "$XML"
    sed -i -e '/^  <uuid>/d' -e "/<entry name='uuid'>/d" "$XML"
    sed -i -e 's|<genid>.*</genid>|<genid/>|' "$XML"
    sed -i -e '/<mac address=/d' "$XML"
    sed -i -e "/<source mode='bind' path='[^']*\/channel\//d" "$XML"

Each restored disk gets its new file:

    for L in *.qcow2; do
      T=$(basename "$L" .qcow2)
      sed -i -e '/<disk /{' -e ':a' -e '/<\/disk>/!{N;ba' -e '}' -e "/<target dev='$T'/{" \
        -e "s|<disk type='[a-z]*'|<disk type='file'|" \
        -e 's|\n *<backingStore.*</backingStore>||' -e 's|\n *<backingStore[^>]*/>||' \
        -e "s|\(<driver[^>]* type='\)[a-z0-9]*'|\1qcow2'|" \
        -e 's|<source .*</source>|<source/>|' \
        -e "s|<source[^>]*/>|<source file='$DEST/$NAME-$T.qcow2'/>|" \
        -e '}' -e '}' "$XML"
    done

CD-ROMs and floppies become empty, and disks that the backup does not hold are taken out, since
they may be in use by the old VM:

    sed -i -e '/<disk /{' -e ':a' -e '/<\/disk>/!{N;ba' -e '}' \
      -e "\|<source file='$DEST/$NAME-|b" \
      -e "/device='cdrom'/bempty" -e "/device='floppy'/bempty" -e 'd' -e ':empty' \
      -e "s|<disk type='[a-z]*'|<disk type='file'|" \
      -e 's|\n *<backingStore.*</backingStore>||' -e 's|\n *<backingStore[^>]*/>||' \
      -e 's|\n *<source .*</source>||' -e 's|\n *<source[^>]*/>||' \
      -e '}' "$XML"

The UEFI variables are the copy that was made in step 4:

    sed -i -e '/<nvram/{' -e ':a' -e '/\/>/bb' -e '/<\/nvram>/bb' -e 'N' -e 'ba' -e ':b' \
      -e "s|\(<nvram[^>]*>\)[^<]*</nvram>|\1$DEST/$NAME-nvram.fd</nvram>|" \
      -e "s|<source file='[^']*'|<source file='$DEST/$NAME-nvram.fd'|" \
      -e '}' "$XML"

Serial ports become a pseudo-terminal (virsh console), graphics take free ports, and what would reach
past libvirt into the old host goes: vsock addresses and arguments given straight to qemu.

    sed -i -e '/<serial /,/<\/serial>/d' -e '/<console /,/<\/console>/d' -e '/<vsock/,/<\/vsock>/d' \
      -e "s|^  <devices>|&\n    <serial type='pty'><target port='0'/></serial>|" \
      -e "/<graphics /s| port='[-0-9]*'||" -e "/<graphics /s|autoport='no'|autoport='yes'|" \
      -e '/<qemu:commandline>/,/<\/qemu:commandline>/d' \
      -e '/<qemu:override>/,/<\/qemu:override>/d' "$XML"

Now look at what is left of the old host: files, sockets, networks, devices. What does not exist here
or is in use by the old VM (a shared directory, a PCI device, a bridge) has to be taken out of $XML or
changed with an editor.

    grep -nE "='/|<source (network|bridge|dev)=|<hostdev|<filesystem|<shmem" "$XML" || true


Step 6: define the VM, bring its TPM's state back, and start it.

    virsh define "$XML"
    if [ -d tpm ]; then
      UUID=$(virsh domuuid "$NAME" | head -n 1)
      mkdir -p -m 711 "/var/lib/libvirt/swtpm/$UUID"
      cp -r tpm/. "/var/lib/libvirt/swtpm/$UUID/"
      chown -R "$(id -un swtpm 2>/dev/null || id -un tss)" "/var/lib/libvirt/swtpm/$UUID/"*
    fi
    virsh start "$NAME"

virsh says what is missing on this host if it refuses: a network (virsh net-list --all), the path of
the emulator, a machine type that only a newer qemu has. Correct $XML and define it again. $XML may
hold passwords of consoles; remove it when the VM runs.
`;
