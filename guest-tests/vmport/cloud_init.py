# cloud-init's own VMware data source, up to the data that it would act on. PATH leads to a vmware-rpctool. Only the DMI
# name is made up, because our machine does not have it here.
import sys

from cloudinit import dmi

dmi.read_dmi_data = lambda name: {"system-product-name": "VMware7,1"}.get(name)

from cloudinit import helpers  # noqa: E402
from cloudinit.sources import DataSourceVMware as vmware  # noqa: E402

directory = sys.argv[1]
paths = helpers.Paths({"cloud_dir": directory, "run_dir": directory, "templates_dir": directory})
source = vmware.DataSourceVMware({}, None, paths)
if not source._get_data():
    sys.exit("cloud-init found no data")
print(source.data_access_method)
print(source.metadata["instance-id"], source.metadata["local-hostname"])
print(source.userdata_raw)
print(source.vendordata_raw)
