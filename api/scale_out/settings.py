"""The settings of the service under Ray Serve, beside those of the service itself."""

import os
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from api.settings import Count, Settings, available_cores, load

# A replica listens nowhere itself, and its threads share the processors that are set aside for it.
OF_THE_PROXY = {"HOST", "PORT", "WORKERS"}


class ScaleSettings(BaseSettings):
    """One field for each variable of the environment, whose name is the field's in capitals."""

    ray_address: str = Field("local", description="The address of a Ray cluster; local starts one on this machine.")
    replicas_min: Count = Field(1, description="The fewest replicas.")
    replicas_max: Count | None = Field(
        None, description="The most replicas; the number of cores, or REPLICAS_MIN if larger, unless given."
    )
    target_ongoing: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        16, description="Requests in a replica that the number of replicas aims at."
    )
    max_ongoing: Count = Field(64, description="The most requests in a replica; more wait in the proxies.")
    max_queued: Annotated[int, Field(ge=-1)] = Field(
        256, description="The most requests that wait in a proxy, -1 for no limit; the next one gets a 503."
    )
    cpus: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        1, description="Processors that are set aside for a replica."
    )

    @model_validator(mode="after")
    def check_replicas(self) -> Self:
        if self.replicas_max is not None and self.replicas_max < self.replicas_min:
            raise ValueError(
                f"REPLICAS_MAX: {self.replicas_max} is less than REPLICAS_MIN, expected {self.replicas_min} at least"
            )
        return self

    @property
    def most_replicas(self) -> int:
        return self.replicas_max or max(self.replicas_min, available_cores())

    @property
    def replica_environment(self) -> dict[str, str]:
        """The variables that a replica gets: the service's settings, keys too, hold on all machines as on this one.

        Machines are watched where DATABASE_URL says so: SQLite files of their own would tell replicas different things.
        """
        names = {name.upper() for name in Settings.model_fields} - OF_THE_PROXY
        workers = os.environ.get("WORKERS") or str(max(1, round(self.cpus)))
        return {"WORKERS": workers, "DATABASE_URL": "none"} | {
            name: os.environ[name] for name in names if name in os.environ
        }


scale_settings = load(ScaleSettings)
