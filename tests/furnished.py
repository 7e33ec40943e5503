"""What a real Home Assistant needs in its configuration, so that a light can be switched in every way there is.

``light.desk`` hangs on two switches, as a lamp on the stairs: ``input_boolean.desk_relay``, which its services turn,
and ``binary_sensor.desk_wall``, which ``home.press("desk_wall")`` turns without any user. It is switched

- by a user: ``home.call("light.toggle", entity_id="light.desk")``;
- by hand: ``home.press("desk_wall")``;
- by a script that a user runs, to off or on: ``home.call("script.evening")``, ``home.call("script.morning")``;
- by an automation on a state, to on: ``home.call("input_boolean.turn_on", entity_id="input_boolean.away")``;
- by a button that an automation listens to, to off: ``home.call("input_button.press", entity_id="input_button.bed")``;
- by an automation that has a time trigger, each second as long as it is on:
  ``home.call("automation.turn_on", entity_id="automation.ticking")``.

``switch.heater`` is a switch, ``sensor.power`` a continuous sensor that follows the light.
"""

from typing import Final

FURNISHED: Final = """
webhook:
logbook:
input_boolean:
  desk_relay:
  heater_relay:
  away:
input_button:
  bed:
template:
  - trigger: {platform: webhook, webhook_id: desk_wall, local_only: false, allowed_methods: [POST]}
    binary_sensor:
      - name: Desk wall
        state: "{{ is_state('binary_sensor.desk_wall', 'off') }}"
  - sensor:
      - name: Power
        unit_of_measurement: W
        device_class: power
        state: "{{ 40 if is_state('light.desk', 'on') else 0 }}"
light:
  - platform: template
    lights:
      desk:
        friendly_name: Desk
        value_template: >-
          {{ is_state('input_boolean.desk_relay', 'on') != is_state('binary_sensor.desk_wall', 'on') }}
        turn_on:
          - {condition: state, entity_id: light.desk, state: "off"}
          - {service: input_boolean.toggle, entity_id: input_boolean.desk_relay}
        turn_off:
          - {condition: state, entity_id: light.desk, state: "on"}
          - {service: input_boolean.toggle, entity_id: input_boolean.desk_relay}
switch:
  - platform: template
    switches:
      heater:
        value_template: "{{ is_state('input_boolean.heater_relay', 'on') }}"
        turn_on: {service: input_boolean.turn_on, entity_id: input_boolean.heater_relay}
        turn_off: {service: input_boolean.turn_off, entity_id: input_boolean.heater_relay}
automation:
  - id: leaving
    alias: Leaving
    trigger: {platform: state, entity_id: input_boolean.away, to: "on"}
    action: {service: light.turn_on, entity_id: light.desk}
  - id: goodnight
    alias: Goodnight
    trigger: {platform: state, entity_id: input_button.bed}
    action: {service: light.turn_off, entity_id: light.desk}
  - id: ticking
    alias: Ticking
    initial_state: false
    trigger: {platform: time_pattern, seconds: "/1"}
    action: {service: light.toggle, entity_id: light.desk}
script:
  evening:
    alias: Evening
    sequence:
      - {service: light.turn_off, entity_id: light.desk}
  morning:
    alias: Morning
    sequence:
      - {service: light.turn_on, entity_id: light.desk}
"""
