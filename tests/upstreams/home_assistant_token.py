"""Makes an administrator and a long-lived token in a Home Assistant's folder, with its own code, and prints the token."""

import asyncio
import sys
from datetime import timedelta

from homeassistant.auth import auth_manager_from_config
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry, entity_registry


async def main(folder: str) -> None:
    hass = HomeAssistant(folder)
    # The manager looks into both when a user is made.
    await device_registry.async_load(hass)
    await entity_registry.async_load(hass)
    manager = await auth_manager_from_config(hass, [{"type": "homeassistant"}], [])
    user = await manager.async_create_user("siskin", group_ids=["system-admin"])
    refresh = await manager.async_create_refresh_token(
        user,
        client_name="siskin",
        token_type="long_lived_access_token",
        access_token_expiration=timedelta(days=1),
    )
    print(manager.async_create_access_token(refresh))
    await hass.async_block_till_done()
    # Writes what was made.
    await hass.async_stop(force=True)


asyncio.run(main(sys.argv[1]))
